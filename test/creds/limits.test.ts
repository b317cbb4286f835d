import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Pace } from '../../src/creds/pace.ts'
import { CallsPerAddress } from '../../src/http/calls-per-address.ts'
import { ManualClock } from '../support/manual-clock.ts'

suite('the calls of an address', () => {
  test('are limited in each minute, and those of others are not', () => {
    const calls = new CallsPerAddress(2)
    assert.deepEqual(
      [0, 10_000, 20_000, 59_999].map((nowMs) => calls.count('a', nowMs)),
      [undefined, undefined, 40, 1],
    )
    assert.equal(calls.count('b', 59_999), undefined)
    assert.equal(calls.count('a', 60_000), undefined)
  })

  test('are counted anew when the clock was set back', () => {
    const calls = new CallsPerAddress(1)
    assert.equal(calls.count('a', 10_000_000), undefined)
    assert.equal(calls.count('a', 0), undefined)
    assert.equal(calls.count('a', 1), 60)
  })

  test('share a count beyond 10,000 addresses', () => {
    const calls = new CallsPerAddress(1)
    for (let index = 0; index < 10_000; index += 1) assert.equal(calls.count(`a${index}`, 0), undefined)
    assert.equal(calls.count('b', 0), undefined)
    assert.equal(calls.count('c', 0), 60)
    assert.equal(calls.count('a1', 0), 60)
  })
})

suite('the pace', () => {
  const limits = { everyMs: 10, waitMsMax: 30 }
  const settled = () => new Promise(setImmediate)

  test('lets one begin at once, the others in turn, and refuses those that would wait too long', async () => {
    const clock = new ManualClock(1_000)
    const pace = new Pace(clock, limits)
    const turns: [number, boolean][] = []
    for (let index = 0; index < 6; index += 1) void pace.turn().then((may) => turns.push([index, may]))
    await settled()
    assert.deepEqual(turns, [
      [0, true],
      [4, false],
      [5, false],
    ])
    clock.advance(10)
    await settled()
    assert.deepEqual(turns.at(-1), [1, true])
    clock.advance(20)
    await settled()
    assert.deepEqual(turns.slice(-2), [
      [2, true],
      [3, true],
    ])
    clock.advance(10)
    assert.equal(await pace.turn(), true)
  })

  test('goes on when the clock was set back', async () => {
    let nowMs = 1_000_000
    const pace = new Pace({ now: () => nowMs, at: () => () => {} }, limits)
    assert.equal(await pace.turn(), true)
    nowMs = 0
    assert.equal(await pace.turn(), true)
  })

  test('lets no caller wait once it is closed', async () => {
    const pace = new Pace(new ManualClock(0), limits)
    assert.equal(await pace.turn(), true)
    const second = pace.turn()
    pace.close()
    assert.equal(await second, false)
    assert.equal(await pace.turn(), false)
  })
})
