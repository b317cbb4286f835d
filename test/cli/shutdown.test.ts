import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { suite, test } from 'node:test'
import { closesInTime, stopMsMax, stopSignal } from '../../src/cli/shutdown.ts'
import { ManualClock } from '../support/manual-clock.ts'

suite('stopSignal', () => {
  /** What has been heard, after these signals with the milliseconds between them. */
  function hear(...sequence: (string | number)[]) {
    const signals = new EventEmitter()
    const clock = new ManualClock()
    let left = false
    const first = stopSignal(signals, clock, () => {
      left = true
    })
    for (const step of sequence) {
      if (typeof step === 'number') clock.advance(step)
      else signals.emit(step, step)
    }
    return { first, left }
  }

  for (const signal of ['SIGTERM', 'SIGINT']) {
    test(`resolves with ${signal}`, async () => {
      const { first, left } = hear(signal)
      assert.equal(await first, signal)
      assert.equal(left, false)
    })
  }

  test('leaves at once at a second SIGINT', () => {
    assert.equal(hear('SIGINT', 301, 'SIGINT').left, true)
    assert.equal(hear('SIGTERM', 301, 'SIGINT').left, true)
  })

  test('takes a SIGINT that npm passes on for the same one', () => {
    assert.equal(hear('SIGINT', 20, 'SIGINT').left, false)
  })

  test('ignores a supervisor that repeats SIGTERM', () => {
    assert.equal(hear('SIGTERM', 1000, 'SIGTERM').left, false)
  })
})

suite('closesInTime', () => {
  test('is true when all is closed, and rings no alarm later', async () => {
    const clock = new ManualClock()
    assert.equal(await closesInTime(async () => {}, clock), true)
    assert.equal(clock.nextAlarmMs, undefined)
  })

  test('is false when closing takes too long', async () => {
    const clock = new ManualClock()
    const inTime = closesInTime(() => new Promise(() => {}), clock)
    clock.advance(stopMsMax)
    assert.equal(await inTime, false)
  })

  test('fails as the closing does', async () => {
    const close = () => Promise.reject(new Error('the disk is full'))
    await assert.rejects(closesInTime(close, new ManualClock()), /the disk is full/)
  })
})
