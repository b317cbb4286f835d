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
