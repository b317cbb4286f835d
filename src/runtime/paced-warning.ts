import type { Cancel, Clock } from './clock.ts'

/** How often at most. */
const warnEveryMs = 60_000

/** Warns of the first case at once, then once a minute of all that came meanwhile. */
export class PacedWarning {
  readonly #clock: Clock
  readonly #warn: () => boolean
  #cancel: Cancel | undefined

  /** `warn` returns false, and logs nothing, when no case has come since it was last called. */
  constructor(clock: Clock, warn: () => boolean) {
    this.#clock = clock
    this.#warn = warn
  }

  /** There is a case. */
  request(): void {
    if (!this.#cancel) this.#warnNow()
  }

  close(): void {
    this.#cancel?.()
  }

  #warnNow(): void {
    this.#cancel = undefined
    if (this.#warn()) this.#cancel = this.#clock.at(this.#clock.now() + warnEveryMs, () => this.#warnNow())
  }
}
