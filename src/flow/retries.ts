import type { Cancel, Clock } from '../runtime/clock.ts'

/** The first pause, which doubles up to the longest. */
const firstPauseMs = 1_000
const pauseMsMax = 30_000
/** Steps that are tried again. One more is refused. */
const retriesMax = 10_000

export interface Retry {
  /** Resolves to whether it need not be tried again. It must not reject. */
  attempt(): Promise<boolean>
  /** The first pause, if it is not the usual one. */
  pauseMs?: number
}

interface Waiting extends Retry {
  pauseMs: number
  atMs: number
  /** An attempt is under way. */
  isBusy: boolean
}

/**
 * What this node owes to its steps and could not do: a write that failed, or an event that could not be made. Each is tried
 * again after 1, 2, 4 … 30 s. One timer serves all.
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

  /** Takes the place of what was tried again for the step. False when there are too many. */
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
      // The clock may have been set back since then.
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
