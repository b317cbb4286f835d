import type { Clock } from '../runtime/clock.ts'
import type { Descriptors } from '../runtime/descriptors.ts'
import type { Shortages } from '../runtime/shortage.ts'

/** The open descriptors are counted at most so often, and after so many new connections. */
const countEveryMs = 1_000
const countEveryConnections = 32
/** With fewer free ones than this the server itself is in trouble, whatever the reserve. */
const freeMin = 8

interface FreeDescriptorsParts {
  descriptors: Descriptors
  shortages: Pick<Shortages, 'report'>
  clock: Pick<Clock, 'now'>
}

/** Tracks how many file descriptors are free without counting them for each connection. */
export class FreeDescriptors {
  readonly #parts: FreeDescriptorsParts
  #countedAtMs = Number.NEGATIVE_INFINITY
  #free = 0
  /** Since the last count. */
  #opened = 0
  #closed = 0

  constructor(parts: FreeDescriptorsParts) {
    this.#parts = parts
  }

  /** The number of free descriptors now; negative if more are open than the limit allows. */
  get count(): number {
    this.refresh()
    return this.#free - this.#opened + this.#closed
  }

  /** A connection was accepted. */
  opened(): void {
    this.#opened += 1
  }

  /** A connection has ended. */
  closed(): void {
    this.#closed += 1
  }

  /**
   * Counts the descriptors if the last count is too old. Requests call this, too: if no descriptor is left, libuv
   * accepts and closes connections silently, so a count at each connection would never see the shortage.
   */
  refresh(): void {
    const isOld = this.#parts.clock.now() - this.#countedAtMs >= countEveryMs
    if (isOld || this.#opened >= countEveryConnections) this.#count()
  }

  #count(): void {
    const { clock, descriptors, shortages } = this.#parts
    this.#free = 0
    try {
      this.#free = Math.max(0, descriptors.limit() - descriptors.open())
    } catch {
      // Reading the limit takes a descriptor, too.
    }
    this.#countedAtMs = clock.now()
    this.#opened = 0
    this.#closed = 0
    if (this.#free < freeMin) shortages.report('descriptors', `${this.#free} file descriptors are free`)
  }
}
