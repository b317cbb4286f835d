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
  /** Called if too many writes wait for a retry: this one is not retried. */
  dropped(callbackId: string): void
}

/** What follows a write. */
export interface AfterWrite {
  /** Called once: the row is written, or was rejected because the step has ended or another node owns it. */
  settled(isWritten: boolean): void
  /** Called if the write failed: it is retried. */
  failed?(): void
}

/**
 * Writes the outcomes of attempts. For each step only the latest write counts:
 *
 *   put off ──1 s──► in flight ──► settled
 *                      │    ▲
 *                      ▼    │ after 1, 2, 4 … 30 s
 *                    waits for a retry
 *
 * A verdict, or another write of the step, cancels a write that is put off or waits for a retry. A retry also ends at the
 * deadline, because the step then expires.
 */
export class StepWrites {
  readonly #parts: StepWritesParts
  readonly #putOff: PutOffWrites
  readonly #retries: Retries
  /** By CallbackId: the change, or the function that builds it. */
  readonly #latest = new Map<string, StepChange | (() => StepChange | undefined)>()

  constructor(parts: StepWritesParts) {
    this.#parts = parts
    this.#putOff = new PutOffWrites(parts.clock)
    this.#retries = new Retries(parts.clock)
  }

  /** Resolves to false if the write failed and is retried. */
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
   * Writes one second later, because the verdict may make the write unnecessary; `change` is only called for the write.
   * Writes at once if the row's old deadline is near, or while writes fail: the state of the store must then be known
   * before further hand-offs.
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

  /** Writes without a retry. Resolves to whether the row is written or the step has ended. */
  once(change: StepChange): Promise<boolean> {
    return this.#try(change, undefined, 'warn')
  }

  cancel(callbackId: string): void {
    this.#latest.delete(callbackId)
    this.#putOff.cancel(callbackId)
    this.#retries.cancel(callbackId)
  }

  /**
   * Writes what is put off, so that the next start does not invoke a processor again that has its event. Writes that wait
   * for a retry are dropped: the next start invokes their processors again.
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
      after?.settled(result !== 'rejected')
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
