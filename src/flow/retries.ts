import type { Cancel, Clock } from '../runtime/clock.ts'

/** Each pause is twice as long as the one before, up to the maximum. */
const firstPauseMs = 1_000
const pauseMsMax = 30_000
/** Maximum of steps that wait for a retry. A further one is rejected. */
const retriesMax = 10_000

export interface Retry {
  /** Resolves to whether no further retry is needed. It must not reject. */
  attempt(): Promise<boolean>
  /** The first pause, if it differs from the default. */
  pauseMs?: number
}

interface Waiting extends Retry {
  pauseMs: number
  atMs: number
  /** An attempt is in flight. */
  isBusy: boolean
}

/**
 * Retries of what failed for a step of this node: a write, or building its event. The pauses are 1, 2, 4 … 30 s. One timer
 * serves all of them.
 */
export class Retries {
  readonly #clock: Clock
  readonly #waiting = new Map<string, Waiting>()
  #timer: { atMs: number; cancel: Cancel } | undefined
  #isClosed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#waiting.size
  }

  has(callbackId: string): boolean {
    return this.#waiting.has(callbackId)
  }

  /** Replaces the step's earlier retry. Returns false if there are too many. */
  add(callbackId: string, { attempt, pauseMs = firstPauseMs }: Retry): boolean {
    if (this.#isClosed) return true
    if (this.#waiting.size >= retriesMax && !this.#waiting.has(callbackId)) return false
    const atMs = this.#clock.now() + pauseMs
    this.#waiting.set(callbackId, { attempt, pauseMs, atMs, isBusy: false })
    this.#wakeBy(atMs)
    return true
  }

  cancel(callbackId: string): void {
    this.#waiting.delete(callbackId)
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#waiting.clear()
  }

  #wakeBy(atMs: number): void {
    if (this.#isClosed || (this.#timer && this.#timer.atMs <= atMs)) return
    this.#timer?.cancel()
    this.#timer = { atMs, cancel: this.#clock.at(atMs, () => this.#tryDue(atMs)) }
  }

  #tryDue(timerMs: number): void {
    this.#timer = undefined
    const now = this.#clock.now()
    for (const [callbackId, waiting] of this.#waiting) {
      if (waiting.isBusy) continue
      // The clock may have been set back in the meantime.
      const atMs = Math.min(waiting.atMs, now + waiting.pauseMs)
      if (atMs <= Math.max(now, timerMs)) void this.#try(callbackId, waiting)
      else this.#wakeBy(atMs)
    }
  }

  async #try(callbackId: string, waiting: Waiting): Promise<void> {
    waiting.isBusy = true
    const isDone = await waiting.attempt()
    waiting.isBusy = false
    if (this.#waiting.get(callbackId) !== waiting) return
    if (isDone) return this.cancel(callbackId)
    waiting.pauseMs = Math.min(pauseMsMax, 2 * waiting.pauseMs)
    waiting.atMs = this.#clock.now() + waiting.pauseMs
    this.#wakeBy(waiting.atMs)
  }
}
