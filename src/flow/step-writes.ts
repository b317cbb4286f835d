import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { DecideStep, RecordHandOff } from '../store/changes.ts'
import type { Store } from '../store/store.ts'
import { levelOf } from './log-level.ts'
import { PutOffWrites, putOffMs } from './put-off.ts'
import { Retries } from './retries.ts'

export type StepChange = DecideStep | RecordHandOff

interface StepWritesParts {
  store: Store
  clock: Clock
  log: Log
  /** Too many writes fail: this one is not tried again. */
  dropped(callbackId: string): void
}

/** What follows a write. */
export interface AfterWrite {
  /** Called once: the row is written, or was refused since the step is over or another node's. */
  settled(isWritten: boolean): void
  /** The write failed, and is tried again. */
  failed?(): void
}

/**
 * Writes what became of an attempt. The latest write of a step is the one that counts:
 *
 *   put off ──1 s──► under way ──► settled
 *                      │    ▲
 *                      ▼    │ after 1, 2, 4 … 30 s
 *                    tried again
 *
 * A verdict, or another write of the step, cancels a write that is put off or is to be tried again. At the deadline one
 * that is to be tried again ends, too, since the step is then expired instead.
 */
export class StepWrites {
  readonly #parts: StepWritesParts
  readonly #putOff: PutOffWrites
  readonly #retries: Retries
  /** By CallbackId: the change, or what will make it. */
  readonly #latest = new Map<string, StepChange | (() => StepChange | undefined)>()

  constructor(parts: StepWritesParts) {
    this.#parts = parts
    this.#putOff = new PutOffWrites(parts.clock)
    this.#retries = new Retries(parts.clock)
  }

  /** Resolves to false when the write failed and will be tried again. */
  async write(change: StepChange, after: AfterWrite): Promise<boolean> {
    const { callback_id: callbackId } = change.step
    this.cancel(callbackId)
    this.#latest.set(callbackId, change)
    if (await this.#try(change, after, 'warn')) return true
    if (this.#latest.get(callbackId) !== change) return true
    const attempt = async () => this.#isTooLate(change) || (await this.#try(change, after, 'debug'))
    if (!this.#retries.add(callbackId, { attempt })) this.#parts.dropped(callbackId)
    after.failed?.()
    return false
  }

  /**
   * Writes a second later, since the verdict may make it needless; `change` is called for the write alone. At once
   * where the row's old deadline is near, or while writes fail: how the store is must then be known before more events
   * are handed over.
   */
  async putOff(
    callbackId: string,
    change: () => StepChange | undefined,
    oldDeadlineAt: number,
    after: AfterWrite,
  ): Promise<boolean> {
    const write = async () => {
      const made = change()
      return made ? this.write(made, after) : true
    }
    const isNear = oldDeadlineAt - this.#parts.clock.now() < 2 * putOffMs
    if (isNear || this.#retries.size > 0) return write()
    this.#latest.set(callbackId, change)
    this.#putOff.add(callbackId, async () => void (await write()))
    return true
  }

  /** Writes once. Resolves to whether the row is written, or the step is over. */
  once(change: StepChange): Promise<boolean> {
    return this.#try(change, undefined, 'warn')
  }

  cancel(callbackId: string): void {
    this.#latest.delete(callbackId)
    this.#putOff.cancel(callbackId)
    this.#retries.cancel(callbackId)
  }

  /**
   * Writes what is put off: the next start then does not call a processor again that has the event already. What could
   * not be written so far is left to the next start, which calls the processor again.
   */
  async close(): Promise<void> {
    this.#retries.close()
    await this.#putOff.flush()
  }

  async #try(change: StepChange, after: AfterWrite | undefined, level: 'warn' | 'debug'): Promise<boolean> {
    const { store, log } = this.#parts
    const { callback_id: callbackId, message_id: messageId } = change.step
    try {
      const { result } = await store.commit(change)
      if (this.#latest.get(callbackId) === change) this.#latest.delete(callbackId)
      after?.settled(result !== 'refused')
      return true
    } catch (err) {
      log[levelOf(err, level)]({ messageId, err }, 'writing a step failed; trying again')
      return false
    }
  }

  #isTooLate({ step }: StepChange): boolean {
    return step.state !== 'EXPIRED' && step.deadline_at <= this.#parts.clock.now()
  }
}
