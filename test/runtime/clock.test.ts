import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { FollowingClock } from '../../src/runtime/clock.ts'
import { ManualClock } from '../support/manual-clock.ts'

function start() {
  const own = new ManualClock(1_000_000)
  let elapsed = 0
  const clock = new FollowingClock(own, () => elapsed)
  const pass = (ms: number) => {
    elapsed += ms
    own.advance(ms)
  }
  const follow = (theirMs: number, answerMs = 0) =>
    clock.follow(async () => {
      pass(answerMs)
      return theirMs
    })
  return { own, clock, pass, follow }
}

suite('a clock that follows another', () => {
  test('goes by its own until it has an answer, and by that from then on', async () => {
    const { clock, pass, follow } = start()
    assert.equal(clock.now(), 1_000_000)
    await follow(5_000_000)
    pass(250)
    assert.equal(clock.now(), 5_000_250)
  })

  test('takes an answer for the time half-way, and none that took long, but for the first', async () => {
    const { clock, follow } = start()
    await follow(5_000_000, 600)
    assert.equal(clock.now(), 5_000_300)
    await follow(9_000_000, 501)
    assert.equal(clock.now(), 5_000_801)
    await follow(6_000_000, 100)
    assert.equal(clock.now(), 6_000_050)
  })

  test("is not set with this machine's", async () => {
    const { own, clock, follow } = start()
    await follow(5_000_000)
    own.advance(3_600_000)
    assert.equal(clock.now(), 5_000_000)
  })

  test('wakes at its own time', async () => {
    const { clock, pass, follow } = start()
    await follow(5_000_000)
    const wokenAt: number[] = []
    clock.at(5_001_000, () => wokenAt.push(clock.now()))
    pass(999)
    assert.deepEqual(wokenAt, [])
    pass(1)
    assert.deepEqual(wokenAt, [5_001_000])
  })
})
