import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Batcher, unwatched } from '../../src/store/batcher.ts'
import { plainMessage } from '../support/rows.ts'

const broken = new Error('the write broke')

suite('a batch whose write throws instead of settling', () => {
  const writes = {
    'at once': () => {
      throw broken
    },
    later: () => Promise.reject(broken),
  }
  for (const [when, write] of Object.entries(writes)) {
    test(`fails each of its callers, ${when}, and blocks neither later writes nor the close`, async () => {
      let isBroken = true
      const batcher = new Batcher(
        async (changes) => (isBroken ? write() : changes.map(() => ({ outcome: 'done' }))),
        unwatched,
      )
      const results = await Promise.allSettled([batcher.add(plainMessage()), batcher.add(plainMessage())])
      assert.deepEqual(
        results.map((result) => result.status === 'rejected' && result.reason),
        [broken, broken],
      )
      isBroken = false
      assert.equal(await batcher.add(plainMessage()), 'done')
      await batcher.drained()
    })
  }

  test('fails if its watcher throws', async () => {
    const watch = () => {
      throw broken
    }
    const batcher = new Batcher(async () => assert.fail('written unwatched'), watch)
    await assert.rejects(batcher.add(plainMessage()), broken)
    await batcher.drained()
  })
})

test('a change without an outcome fails, and the others do not', async () => {
  const batcher = new Batcher(async () => [{ outcome: 'done' }], unwatched)
  const [first, second] = await Promise.allSettled([batcher.add(plainMessage()), batcher.add(plainMessage())])
  assert.equal(first.status === 'fulfilled' && first.value, 'done')
  assert.match(String(second.status === 'rejected' && second.reason), /returned no outcome/)
})
