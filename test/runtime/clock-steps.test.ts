import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Clock } from '../../src/runtime/clock.ts'
import { warnOfClockSteps } from '../../src/runtime/clock-steps.ts'
import { ManualClock } from '../support/manual-clock.ts'

/** Timers go by elapsed time, as the system's do; what the clock says can be set. */
function start() {
  const timers = new ManualClock(0)
  let setByMs = 0
  const clock: Clock = {
    now: () => timers.now() + setByMs,
    at: (atMs, wake) => timers.at(atMs - setByMs, wake),
  }
  const warnings: { fields: object; text: string }[] = []
  const log = { warn: (fields: object, text: string) => void warnings.push({ fields, text }) }
  const stop = warnOfClockSteps({ clock, elapsedMs: timers.now, log })
  const set = (byMs: number) => {
    setByMs += byMs
  }
  return { timers, warnings, stop, set }
}

suite('a step of the clock', () => {
  test('is a warning with its direction and size, once', () => {
    const { timers, warnings, set } = start()
    timers.advance(5_000)
    set(49 * 3_600_000)
    timers.advance(5_000)
    const forward = {
      fields: { stepMs: 176_400_000, direction: 'forward' },
      text: 'the system clock stepped forward by 176400 s',
    }
    assert.deepEqual(warnings, [forward])
    set(-2_500)
    timers.advance(5_000)
    const back = { fields: { stepMs: -2_500, direction: 'back' }, text: 'the system clock stepped back by 2.5 s' }
    assert.deepEqual(warnings, [forward, back])
  })

  test('is not seen in a clock that is slewed, nor in one that the process was late to look at', () => {
    const { timers, warnings, set } = start()
    for (let seconds = 0; seconds < 60; seconds += 1) {
      set(100)
      timers.advance(1_000)
    }
    timers.advance(60_000)
    assert.deepEqual(warnings, [])
  })

  test('is not looked for any more once that is ended', () => {
    const { timers, stop } = start()
    stop()
    assert.equal(timers.nextAlarmMs, undefined)
  })
})
