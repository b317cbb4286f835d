import { type Cancel, type Clock, every } from './clock.ts'
import type { Log } from './log.ts'

/** The period of comparing the clock with elapsed time. */
const compareEveryMs = 1_000
/** Slewing, as NTP does it, stays far below this. */
const stepMsMin = 2_000

interface ClockStepParts {
  clock: Clock
  /** A monotonic clock, in milliseconds. */
  elapsedMs(): number
  log: Pick<Log, 'warn'>
}

/**
 * Warns when the clock was set or the machine slept: deadlines and timestamps jump with the clock. The returned
 * function stops the comparison.
 */
export function warnOfClockSteps({ clock, elapsedMs, log }: ClockStepParts): Cancel {
  let last = { nowMs: clock.now(), elapsedMs: elapsedMs() }
  return every(clock, compareEveryMs, () => {
    const next = { nowMs: clock.now(), elapsedMs: elapsedMs() }
    const stepMs = Math.round(next.nowMs - last.nowMs - (next.elapsedMs - last.elapsedMs))
    last = next
    if (Math.abs(stepMs) < stepMsMin) return
    const direction = stepMs > 0 ? 'forward' : 'back'
    log.warn({ stepMs, direction }, `the system clock stepped ${direction} by ${Math.abs(stepMs) / 1000} s`)
  })
}
