import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { checkMsMax, Readiness } from '../../src/admin/readiness.ts'
import { ManualClock } from '../support/manual-clock.ts'

suite('readiness', () => {
  test('is given when every check passes, at once or later', async () => {
    const readiness = new Readiness(
      { needed: { store: async () => {} }, reported: { bus: () => {} } },
      new ManualClock(),
    )
    assert.deepEqual(await readiness.report(), { ready: true, checks: { store: 'ok', bus: 'ok' } })
  })

  test('is lost with what is needed, and the report says by which check and why', async () => {
    const store = () => Promise.reject(new Error('away'))
    const report = await new Readiness({ needed: { store }, reported: { bus: () => {} } }, new ManualClock()).report()
    assert.deepEqual(report, { ready: false, checks: { store: 'away', bus: 'ok' } })
  })

  test('is kept without what a server goes on without, and the report tells of it', async () => {
    const bus = () => {
      throw new Error('not connected')
    }
    const report = await new Readiness({ needed: { store: () => {} }, reported: { bus } }, new ManualClock()).report()
    assert.deepEqual(report, { ready: true, checks: { store: 'ok', bus: 'not connected' } })
  })

  test('is lost by a check that takes too long, which is asked once however many look', async () => {
    const clock = new ManualClock()
    const answer = Promise.withResolvers<void>()
    let asked = 0
    const store = () => {
      asked += 1
      return answer.promise
    }
    const readiness = new Readiness({ needed: { store }, reported: {} }, clock)
    const reports = [readiness.report(), readiness.report()]
    clock.advance(checkMsMax)
    const late = { ready: false, checks: { store: `store: timed out after ${checkMsMax / 1000} s` } }
    assert.deepEqual(await Promise.all(reports), [late, late])
    assert.equal(asked, 1)

    answer.resolve()
    await new Promise(setImmediate)
    assert.deepEqual(await readiness.report(), { ready: true, checks: { store: 'ok' } })
    assert.equal(asked, 2)
  })
})
