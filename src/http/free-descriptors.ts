import type { Clock } from '../runtime/clock.ts'
import type { Descriptors } from '../runtime/descriptors.ts'
import type { Shortages } from '../runtime/shortage.ts'

/** How often at most the open descriptors are counted, unless so many connections have come meanwhile. */
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
  /** Since they were counted. */
  #opened = 0
  #closed = 0

  constructor(parts: FreeDescriptorsParts) {
    this.#parts = parts
  }

  /** The number of free descriptors now; negative if more are open than the limit allows. */
  get count(): number {
    this.look()
    return this.#free - this.#opened + this.#closed
  }

  /** A connection was taken. */
  opened(): void {
    this.#opened += 1
  }

  /** A connection has ended. */
  closed(): void {
    this.#closed += 1
  }

  /**
   * Counts them if the last count is too old. It is called for requests, too: where no descriptor is left, libuv accepts
   * and closes connections silently, so that a count at each connection would never see the shortage.
   */
  look(): void {
    const isOld = this.#parts.clock.now() - this.#countedAtMs >= countEveryMs
    if (isOld || this.#opened >= countEveryConnections) this.#count()
  }

  #count(): void {
    const { clock, descriptors, shortages } = this.#parts
    this.#free = 0
    try {
      this.#free = Math.max(0, descriptors.limit() - descriptors.open())
    } catch {
      // To read the limit takes a descriptor, too.
    }
    this.#countedAtMs = clock.now()
    this.#opened = 0
    this.#closed = 0
    if (this.#free < freeMin) shortages.report('descriptors', `${this.#free} file descriptors are free`)
  }
}
