/** The only module that reads the time. All others receive a Clock, so that a test can control time. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /**
   * Calls `wake` once, when `now()` has reached `atMs` or at once if it already has. The returned function cancels it.
   */
  at(atMs: number, wake: () => void): Cancel
}

export type Cancel = () => void

/** Node's timers fire at once beyond this, so a longer wait is split. */
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

/** Milliseconds since this process began, monotonic. The value stands still while the machine sleeps. */
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

/** A slower response is too inexact and ignored; only the first one counts whatever it took. */
const responseMsMax = 500

/**
 * A clock that follows a remote one, such as a database's, by its last response. Between two responses it uses elapsed
 * time: a step of this machine's clock must not move this one.
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

  /** `readTheirs` returns the remote time. A timer that is set already keeps its time on the own clock. */
  async follow(readTheirs: () => Promise<number>): Promise<void> {
    const sent = this.#elapsedMs()
    const theirMs = await readTheirs()
    const received = this.#elapsedMs()
    if (this.#base && received - sent > responseMsMax) return
    this.#base = { theirMs, elapsedMs: (sent + received) / 2 }
  }
}
