import type { Cancel, Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { type Store, StoreUnavailable } from '../store/store.ts'
import type { Turn } from '../store/tables.ts'
import type { Lease } from './decision.ts'

/** How many due steps are leased at a time. */
const leasedMax = 1_000
/** How long after a failed look for due steps the next is taken. */
const retryMs = 1_000
/** Due steps that another node has leased: when to look again. */
const takenPauseMs = 200
/** How long a node that yields leaves what is due to the others. */
const yieldMs = 1_000

interface DueStepsParts {
  store: Store
  lease: Lease
  clock: Clock
  log: Log
  /** Steps that were due, leased to this node from now on. */
  leased(turns: Turn[]): Promise<void>
}

/** Leases the steps that are due, and wakes when the next is. */
export class DueSteps {
  readonly #parts: DueStepsParts
  /** What verdicts ended while due steps were being leased: their turns come too late. */
  readonly #decidedMeanwhile = new Set<string>()
  #alarm: { atMs: number; cancel: Cancel } | undefined
  #sweeping: Promise<void> | undefined
  #yieldsUntil = Number.NEGATIVE_INFINITY
  #isClosed = false

  constructor(parts: DueStepsParts) {
    this.#parts = parts
  }

  decided(callbackId: string): void {
    if (this.#sweeping) this.#decidedMeanwhile.add(callbackId)
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
   * This node has given back steps that are due then, since it could not hand them over: another node shall have them if
   * there is one that wants them.
   */
  yieldFrom(dueAt: number): void {
    this.#yieldsUntil = Math.max(this.#yieldsUntil, dueAt + yieldMs)
    this.wakeBy(dueAt + yieldMs)
  }

  /** Runs one sweep at a time: a call during a sweep returns the promise of that sweep, which sets the alarm. */
  sweep(): Promise<void> {
    this.#sweeping ??= this.#leaseAll().finally(() => {
      this.#sweeping = undefined
    })
    return this.#sweeping
  }

  /** Looks for what another node has left or put off: it set its alarm there, not here. */
  look(): Promise<void> {
    return this.#orSoonAgain(() => this.#setAlarm(0))
  }

  /** Resolves when no sweep is under way any more. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#alarm?.cancel()
    await this.#sweeping
  }

  async #leaseAll(): Promise<void> {
    const { clock } = this.#parts
    await this.#orSoonAgain(async () => {
      let leased = leasedMax
      while (leased === leasedMax && !this.#isClosed) leased = await this.#lease()
      await this.#setAlarm(clock.now() + takenPauseMs)
    })
  }

  async #lease(): Promise<number> {
    const { store, clock, lease } = this.#parts
    const leaseUntil = clock.now() + lease.leaseMs
    const now = clock.now() < this.#yieldsUntil ? clock.now() - yieldMs : clock.now()
    this.#decidedMeanwhile.clear()
    const turns = await store.commit({ kind: 'LeaseSteps', owner: lease.owner, now, leaseUntil, stepsMax: leasedMax })
    await this.#parts.leased(turns.filter(({ step }) => !this.#decidedMeanwhile.has(step.callback_id)))
    return turns.length
  }

  /**
   * Sets the alarm for the step that is due next, on whichever node it was made. If steps are due that another node has
   * leased, it looks again at `notBefore`, when the lease may have expired.
   */
  async #setAlarm(notBefore: number): Promise<void> {
    const next = await this.#parts.store.nextDueAt()
    if (next === undefined) return
    this.wakeBy(next <= this.#parts.clock.now() ? Math.max(next, notBefore) : next)
  }

  async #orSoonAgain(look: () => Promise<void>): Promise<void> {
    const { clock, log } = this.#parts
    try {
      await look()
    } catch (error) {
      const level = error instanceof StoreUnavailable ? 'warn' : 'error'
      log[level]({ err: error }, 'due steps could not be read; trying again')
      this.wakeBy(clock.now() + retryMs)
    }
  }
}
