import type { Clock } from '../runtime/clock.ts'

interface Limits {
  /** Between the beginnings of two pieces of work. */
  everyMs: number
  /** How long one may wait for its turn. */
  waitMsMax: number
}

/** Lets work begin at an even pace, so that a rush of callers leaves time for the rest of the server. */
export class Pace {
  readonly #clock: Clock
  readonly #limits: Limits
  #nextAtMs = Number.NEGATIVE_INFINITY
  /** Those that wait. */
  readonly #begin = new Set<() => void>()
  #closed = false

  constructor(clock: Clock, limits: Limits) {
    this.#clock = clock
    this.#limits = limits
  }

  /** Resolves to true when the work may begin, or to false if it may not: its turn would come too late, or never. */
  async turn(): Promise<boolean> {
    const { everyMs, waitMsMax } = this.#limits
    const nowMs = this.#clock.now()
    // No turn was ever given for so late a time: the clock has been set back.
    if (this.#nextAtMs > nowMs + waitMsMax + everyMs) this.#nextAtMs = nowMs
    const atMs = Math.max(nowMs, this.#nextAtMs)
    if (this.#closed || atMs > nowMs + waitMsMax) return false
    this.#nextAtMs = atMs + everyMs
    if (atMs > nowMs) await this.#until(atMs)
    return !this.#closed
  }

  /** No caller waits any more. */
  close(): void {
    this.#closed = true
    for (const begin of this.#begin) begin()
  }

  async #until(atMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#begin.add(resolve)
    const cancel = this.#clock.at(atMs, resolve)
    await promise
    cancel()
    this.#begin.delete(resolve)
  }
}
