import type { Cancel, Clock } from '../runtime/clock.ts'

/** The delay of a write. Most verdicts arrive within a few milliseconds and cancel the write. */
export const putOffMs = 1_000

interface PutOffWrite {
  atMs: number
  write(): Promise<void>
}

/**
 * Writes that the verdict makes unnecessary: each runs one second later, unless it is cancelled. All delays are equal, so
 * one timer serves them in the order in which they were added.
 */
export class PutOffWrites {
  readonly #clock: Clock
  readonly #writes = new Map<string, PutOffWrite>()
  #cancelTimer: Cancel | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Replaces an earlier write of the step and keeps its time. */
  add(callbackId: string, write: () => Promise<void>): void {
    const atMs = this.#writes.get(callbackId)?.atMs ?? this.#clock.now() + putOffMs
    this.#writes.set(callbackId, { atMs, write })
    if (!this.#cancelTimer) this.#setTimer()
  }

  /** The timer stays set: it finds no write, or the next one. */
  cancel(callbackId: string): void {
    this.#writes.delete(callbackId)
  }

  /** Runs all writes now. */
  async flush(): Promise<void> {
    this.#cancelTimer?.()
    const writes = [...this.#writes.values()]
    this.#writes.clear()
    await Promise.all(writes.map(({ write }) => write()))
  }

  #setTimer(): void {
    const [first] = this.#writes.values()
    this.#cancelTimer = first && this.#clock.at(this.#notFarOff(first.atMs), () => this.#writeDue())
  }

  #writeDue(): void {
    const now = this.#clock.now()
    for (const [callbackId, { atMs, write }] of this.#writes) {
      if (this.#notFarOff(atMs) > now) break
      this.#writes.delete(callbackId)
      void write()
    }
    this.#setTimer()
  }

  /** A time that is too far in the future was computed before the clock was set back: it is due now. */
  #notFarOff(atMs: number): number {
    const now = this.#clock.now()
    return atMs > now + putOffMs ? now : atMs
  }
}
