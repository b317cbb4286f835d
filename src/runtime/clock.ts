/** The one place that asks what time it is. Everything else is given a Clock, so that a test can move time by hand. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Calls `wake` once, when `now()` has reached `atMs` or at once if it already has. The answer cancels it. */
  at(atMs: number, wake: () => void): Cancel
}

export type Cancel = () => void

/** Node's timers fire at once beyond this, so a longer wait is cut into pieces. */
const timerMsMax = 2 ** 31 - 1

export const systemClock: Clock = {
  now: Date.now,
  at(atMs, wake) {
    let timer: NodeJS.Timeout
    const wait = () => {
      const leftMs = Math.max(0, atMs - Date.now())
      timer = setTimeout(leftMs > timerMsMax ? wait : wake, Math.min(leftMs, timerMsMax))
      timer.unref()
    }
    wait()
    return () => clearTimeout(timer)
  },
}

/** Milliseconds since this process began. Nobody sets it, and it stands still while the machine sleeps. */
export const systemElapsedMs = (): number => performance.now()

/** Calls `act` after each period, until it is cancelled. */
export function every(clock: Clock, periodMs: number, act: () => void): Cancel {
  let cancel: Cancel = () => {}
  const wait = () => {
    cancel = clock.at(clock.now() + periodMs, () => {
      wait()
      act()
    })
  }
  wait()
  return () => cancel()
}

/** An answer that took longer says too little about the time it was given at; only the first counts whatever it took. */
const answerMsMax = 500

/**
 * A clock that goes with another one far away, such as a database's, by what its last answer said. Between two answers it
 * goes by elapsed time: somebody may set this machine's clock, and must not set this one with it.
 */
export class FollowingClock implements Clock {
  readonly #own: Clock
  readonly #elapsedMs: () => number
  #base: { theirMs: number; elapsedMs: number } | undefined

  constructor(own: Clock, elapsedMs: () => number = systemElapsedMs) {
    this.#own = own
    this.#elapsedMs = elapsedMs
  }

  now = (): number =>
    this.#base ? Math.floor(this.#base.theirMs + this.#elapsedMs() - this.#base.elapsedMs) : this.#own.now()

  at(atMs: number, wake: () => void): Cancel {
    return this.#own.at(this.#own.now() + atMs - this.now(), wake)
  }

  /** `ask` answers the other's time. An alarm that is set already stays where it is on the own clock. */
  async follow(ask: () => Promise<number>): Promise<void> {
    const asked = this.#elapsedMs()
    const theirMs = await ask()
    const answered = this.#elapsedMs()
    if (this.#base && answered - asked > answerMsMax) return
    this.#base = { theirMs, elapsedMs: (asked + answered) / 2 }
  }
}
