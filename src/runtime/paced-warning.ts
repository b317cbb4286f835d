import type { Cancel, Clock } from './clock.ts'

/** Minimum time between two warnings. */
const warnEveryMs = 60_000

/** Warns about the first case at once, then once a minute about all cases of that minute. */
export class PacedWarning {
  readonly #clock: Clock
  readonly #warn: () => boolean
  #cancel: Cancel | undefined

  /** `warn` returns false, and logs nothing, if there was no case since its last call. */
  constructor(clock: Clock, warn: () => boolean) {
    this.#clock = clock
    this.#warn = warn
  }

  /** A case has occurred. */
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
