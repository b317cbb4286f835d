import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { actOnAll } from '../../src/cli/act-on-all.ts'
import { CallRejected } from '../../src/cli/running-server.ts'

const numbers = Array.from({ length: 100 }, (_, index) => index)

suite('an act on all messages of a function', () => {
  test('has few calls in flight, and counts what became of each', async () => {
    let inFlight = 0
    let most = 0
    const seen: number[] = []
    const act = async (number: number) => {
      inFlight += 1
      most = Math.max(most, inFlight)
      await new Promise(setImmediate)
      inFlight -= 1
      if (number % 10 === 1) throw new CallRejected(409, 'decided')
      if (number % 10 === 2) throw new CallRejected(404, 'not held')
      return number % 10 !== 3
    }
    const counts = await actOnAll(numbers, act, (count) => seen.push(count))
    assert.deepEqual(counts, { done: 70, 'not needed': 10, decided: 20 })
    assert.equal(most, 8)
    assert.deepEqual(
      seen,
      numbers.map((number) => number + 1),
    )
  })

  test('ends at an error that is not about one message', async () => {
    const called: number[] = []
    const act = async (number: number) => {
      called.push(number)
      await new Promise(setImmediate)
      throw new CallRejected(503, 'busy')
    }
    await assert.rejects(
      actOnAll(numbers, act, () => {}),
      /busy/,
    )
    await new Promise(setImmediate)
    assert.equal(called.length, 8)
  })
})
