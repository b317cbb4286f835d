import type { Cancel, Clock } from './clock.ts'

/** A limit is counted in so many slices. */
const slicesPerLimit = 20

/**
 * Calls `act` once the limit has passed, stalls of the event loop excluded. After a stall, Node runs the timers before
 * it reads arrived data, so a plain timer would cut a connection that was made long ago. Here a stall costs one slice,
 * however long it was, and a last slice that ended late is counted again.
 */
export class Countdown {
  readonly #clock: Clock
  readonly #sliceMs: number
  readonly #act: () => void
  #slicesLeft = slicesPerLimit
  #lateMs = 0
  #isExtended = false
  #cancelSlice: Cancel = () => {}

  constructor(clock: Clock, limitMs: number, act: () => void) {
    this.#clock = clock
    this.#sliceMs = Math.ceil(limitMs / slicesPerLimit)
    this.#act = act
    this.#wait()
  }

  /** The sum of the event loop's stalls since the start, as far as the slices show them. */
  get lateMs(): number {
    return this.#lateMs
  }

  cancel(): void {
    this.#cancelSlice()
  }

  #wait(): void {
    const dueAt = this.#clock.now() + this.#sliceMs
    this.#cancelSlice = this.#clock.at(dueAt, () => this.#countSlice(Math.max(0, this.#clock.now() - dueAt)))
  }

  #countSlice(lateMs: number): void {
    this.#lateMs += lateMs
    const isRepeated = this.#slicesLeft === 1 && lateMs > this.#sliceMs && !this.#isExtended
    if (isRepeated) this.#isExtended = true
    else this.#slicesLeft -= 1
    if (this.#slicesLeft > 0) this.#wait()
    else this.#act()
  }
}
