import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DueSteps } from '../../src/flow/due-steps.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { node } from '../support/rows.ts'
import { createStoreFile } from '../support/store-file.ts'
import { WatchedStore } from '../support/watched-store.ts'

test('a look that reads when the engine stops is waited for, and reads nothing more', async (t) => {
  const store = new WatchedStore(await (await createStoreFile(t)).open())
  const dueSteps = new DueSteps({ store, node, clock: new ManualClock(0), log: silentLog, taken: async () => {} })
  const reads = Promise.withResolvers<void>()
  store.readsFrom = reads.promise
  const looked = dueSteps.look()
  let isClosed = false
  const closed = dueSteps.close().then(() => {
    isClosed = true
  })
  await new Promise(setImmediate)
  assert.equal(isClosed, false)
  reads.resolve()
  await closed
  assert.equal(store.pending, 0)
  await looked
  await dueSteps.look()
  await dueSteps.sweep()
  assert.equal(store.reads, 1)
  assert.deepEqual(store.written, [])
})
