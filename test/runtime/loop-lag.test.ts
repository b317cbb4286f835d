import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { LoopLag } from '../../src/runtime/loop-lag.ts'

/** Whether the loop lags too long when its timers were so late, one after the other. */
function lagsAfter(...latenessMs: number[]): boolean {
  const lag = new LoopLag()
  for (const lateMs of latenessMs) lag.observe(lateMs)
  return lag.isTooLong
}

suite('the event loop lags too long', () => {
  test('after more than a second in which every timer was more than 200 ms late', () => {
    assert.equal(lagsAfter(201, 201, 201), false)
    assert.equal(lagsAfter(201, 201, 201, 201), true)
  })

  test('never if the timers were 200 ms late', () => {
    assert.equal(lagsAfter(...Array.from({ length: 100 }, () => 200)), false)
  })

  test('not after one stall, however long: the machine slept, or its clock was set', () => {
    assert.equal(lagsAfter(3_600_000), false)
    assert.equal(lagsAfter(3_600_000, 0, 3_600_000, 0, 3_600_000, 0, 3_600_000), false)
  })

  test('until a timer is in time', () => {
    assert.equal(lagsAfter(500, 500, 500, 500, 500, 10), false)
  })
})
