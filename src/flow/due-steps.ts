import { setImmediate } from 'node:timers/promises'
import type { Cancel, Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { readDeadOwners, readNextDueAt } from '../store/steps.ts'
import type { Store } from '../store/store.ts'
import type { Job } from '../store/tables.ts'
import type { OwnNode } from './decision.ts'
import { levelOf } from './log-level.ts'

/** Maximum of due steps in one TakeSteps. */
const takenMax = 1_000
/** Maximum of orphans in one TakeSteps: other nodes take some of them, and other writes commit in between. */
const orphansMax = 256
/** The delay before the retry of a failed read of due steps. */
const retryMs = 1_000
/** The delay before the next read if another node is taking the due steps at this moment. */
const takenPauseMs = 200
/** How much longer a node that yields leaves due steps to the others. */
const yieldMs = 1_000
/** The delay until a step whose deadline has passed is due again, if it was taken and has not ended. */
const againMs = 30_000

interface DueStepsParts {
  store: Store
  node: OwnNode
  clock: Clock
  log: Log
  /** Steps that this node owns from now on. */
  taken(jobs: Job[]): Promise<void>
}

/** Takes the due steps and the orphans of dead nodes. Sets a timer for the next due step. */
export class DueSteps {
  readonly #parts: DueStepsParts
  /** One set for each TakeSteps that runs: the steps that verdicts have ended in the meantime are dropped from its result. */
  readonly #decidedMeanwhile = new Set<Set<string>>()
  #alarm: { atMs: number; cancel: Cancel } | undefined
  #sweeping: Promise<void> | undefined
  #findingNext: Promise<void> | undefined
  #adopting: Promise<void> | undefined
  #yieldsUntil = Number.NEGATIVE_INFINITY
  #isClosed = false

  constructor(parts: DueStepsParts) {
    this.#parts = parts
  }

  decided(callbackId: string): void {
    for (const decided of this.#decidedMeanwhile) decided.add(callbackId)
  }

  wakeBy(atMs: number): void {
    if (this.#isClosed || (this.#alarm && this.#alarm.atMs <= atMs)) return
    this.#alarm?.cancel()
    const cancel = this.#parts.clock.at(atMs, () => {
      this.#alarm = undefined
      void this.sweep()
    })
    this.#alarm = { atMs, cancel }
  }

  /**
   * This node has released steps that it could not hand over. They are due at this time, and other nodes may take them
   * first.
   */
  yieldFrom(dueAt: number): void {
    this.#yieldsUntil = Math.max(this.#yieldsUntil, dueAt + yieldMs)
    this.wakeBy(dueAt + yieldMs)
  }

  /** Runs one sweep at a time: a call during a sweep returns the promise of that sweep, which sets the alarm. */
  sweep(): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    this.#sweeping ??= this.#takeDue().finally(() => {
      this.#sweeping = undefined
    })
    return this.#sweeping
  }

  /** Polls for due steps and orphans: the timer of a step that another node has released is on that node. */
  async look(): Promise<void> {
    if (this.#isClosed) return
    this.#findingNext ??= this.#orRetry(() => this.#setAlarm(0)).finally(() => {
      this.#findingNext = undefined
    })
    await this.#findingNext
    if (this.#isClosed) return
    this.#adopting ??= this.#takeOrphans().finally(() => {
      this.#adopting = undefined
    })
    await this.#adopting
  }

  /** Resolves when no read and no write is in flight. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#alarm?.cancel()
    await Promise.all([this.#sweeping, this.#findingNext, this.#adopting])
  }

  async #takeDue(): Promise<void> {
    const { clock } = this.#parts
    await this.#orRetry(async () => {
      await this.#takeAll(undefined, takenMax)
      await this.#setAlarm(clock.now() + takenPauseMs)
    })
  }

  async #takeOrphans(): Promise<void> {
    const { store, node } = this.#parts
    await this.#orRetry(async () => {
      for (const deadNode of await readDeadOwners(store.read, node.id)) await this.#takeAll(deadNode, orphansMax)
    })
  }

  /** Takes steps in pieces until there are none left. */
  async #takeAll(deadNode: string | undefined, stepsMax: number): Promise<void> {
    while (!this.#isClosed && (await this.#take(deadNode, stepsMax)) === stepsMax) {
      // Requests are served between the pieces.
      await setImmediate()
    }
  }

  async #take(deadNode: string | undefined, stepsMax: number): Promise<number> {
    const { store, clock, node, taken } = this.#parts
    const now = clock.now() < this.#yieldsUntil ? clock.now() - yieldMs : clock.now()
    const againAt = clock.now() + againMs
    const decided = new Set<string>()
    this.#decidedMeanwhile.add(decided)
    try {
      const jobs = await store.commit({ kind: 'TakeSteps', owner: node.id, deadNode, now, againAt, stepsMax })
      await taken(jobs.filter(({ step }) => !decided.has(step.callback_id)))
      return jobs.length
    } finally {
      this.#decidedMeanwhile.delete(decided)
    }
  }

  /**
   * Sets the timer for the step that is due next, whichever node created it. If another node is taking the due steps at
   * this moment, the timer is set for `notBefore`.
   */
  async #setAlarm(notBefore: number): Promise<void> {
    const { store, node } = this.#parts
    const next = await readNextDueAt(store.read, node.id)
    if (next === undefined) return
    this.wakeBy(next <= this.#parts.clock.now() ? Math.max(next, notBefore) : next)
  }

  async #orRetry(look: () => Promise<void>): Promise<void> {
    const { clock, log } = this.#parts
    try {
      await look()
    } catch (error) {
      log[levelOf(error, 'warn')]({ err: error }, 'reading due steps failed; trying again')
      this.wakeBy(clock.now() + retryMs)
    }
  }
}
