import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Pings } from '../../src/session/pings.ts'
import { ManualClock } from '../support/manual-clock.ts'

function start() {
  const clock = new ManualClock()
  const pings = new Pings(clock, 30_000)
  const begin = () => {
    const session = { at: [] as number[], ping: () => void session.at.push(clock.now() - began) }
    const began = clock.now()
    const group = pings.add(session)
    return { session, leave: () => pings.remove(session, group) }
  }
  return { clock, begin }
}

suite('pings', () => {
  test('go to each session once in a period, wherever in it the session began', () => {
    const { clock, begin } = start()
    const all = Array.from({ length: 40 }, () => {
      const { session } = begin()
      clock.advance(777)
      return session
    })
    for (let second = 0; second < 120; second += 1) clock.advance(1_000)
    for (const { at } of all) {
      assert.ok(at.length >= 4)
      assert.ok((at[0] as number) > 28_000 && (at[0] as number) <= 31_000, `the first came after ${at[0]} ms`)
      for (const [index, atMs] of at.slice(1).entries()) assert.equal(atMs - (at[index] as number), 30_000)
    }
  })

  test('stop for a session that has left, and need no timer when all have', () => {
    const { clock, begin } = start()
    const [one, other] = [begin(), begin()]
    one.leave()
    one.leave()
    clock.advance(30_000)
    assert.deepEqual([one.session.at, other.session.at], [[], [30_000]])
    other.leave()
    assert.equal(clock.nextAlarmMs, undefined)
  })
})
