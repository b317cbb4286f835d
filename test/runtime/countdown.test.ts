import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Countdown } from '../../src/runtime/countdown.ts'
import { ManualClock } from '../support/manual-clock.ts'

const limitMs = 5_000

function start() {
  const clock = new ManualClock()
  let endedAfterMs: number | undefined
  const startedAt = clock.now()
  const countdown = new Countdown(clock, limitMs, () => {
    endedAfterMs = clock.now() - startedAt
  })
  return { clock, countdown, endedAfterMs: () => endedAfterMs }
}

describe('a countdown', () => {
  test('ends after its limit while the event loop is in time', () => {
    const { clock, countdown, endedAfterMs } = start()
    clock.advance(limitMs - 1)
    assert.equal(endedAfterMs(), undefined)
    clock.advance(1)
    assert.equal(endedAfterMs(), limitMs)
    assert.equal(countdown.lateMs, 0)
    assert.equal(clock.nextAlarmMs, undefined)
  })

  test('does not count a stall', () => {
    const { clock, countdown, endedAfterMs } = start()
    clock.advance(1_000)
    clock.stall(60_000)
    assert.equal(endedAfterMs(), undefined)
    assert.equal(countdown.lateMs, 60_000 - 250)
    clock.advance(3_500)
    assert.equal(endedAfterMs(), undefined)
    clock.advance(250)
    assert.equal(endedAfterMs(), 1_000 + 60_000 + 3_750)
  })

  test('does not end by a stall just before its end, but soon after', () => {
    const { clock, endedAfterMs } = start()
    clock.advance(limitMs - 1)
    clock.stall(6_000)
    assert.equal(endedAfterMs(), undefined)
    clock.stall(6_000)
    assert.notEqual(endedAfterMs(), undefined, 'a loop that stalls for ever does not keep it from ending')
  })

  test('that is cancelled does not end', () => {
    const { clock, countdown, endedAfterMs } = start()
    clock.advance(1_000)
    countdown.cancel()
    clock.advance(60_000)
    assert.equal(endedAfterMs(), undefined)
    assert.equal(clock.nextAlarmMs, undefined)
  })
})
