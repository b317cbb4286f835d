import assert from 'node:assert/strict'
import { type Extension, extendDeadline } from '../../src/store/extensions.ts'
import type { Store } from '../../src/store/store.ts'
import type { Job } from '../../src/store/tables.ts'
import { changeAfter, heldMessage, openChannel, readJob, readMessage, readStep, verdictOn } from '../support/rows.ts'
import type { Cases } from './store-suite.ts'

/** The deadline of the steps here, before an extension. */
const deadlineMs = 1_000
const completed = { type: 'Completed' } as const
const isOver = { result: 'rejected', because: 'step is over' }

export const extensionCases: Cases = {
  async 'an owner that has read the step before does not move its extended deadline back'({ store }) {
    const job = await hold(store)
    assert.equal(await extend(store, job, { byMs: 5_000 }), 'extended')
    await store.commit(changeAfter(job, { type: 'HandedOff' }, 10))
    assert.deepEqual(await timesOf(store, job), { owner: 'node-1', due_at: 1_000, deadline_at: 6_000 })
    await store.commit(changeAfter(job, completed, 20))
    assert.deepEqual(await timesOf(store, job), { owner: '', due_at: 6_000, deadline_at: 6_000 })
  },

  async 'a retry that was planned before an extension is due as planned'({ store }) {
    const job = await hold(store)
    await extend(store, job, { byMs: 5_000 })
    await store.commit(changeAfter(job, { type: 'Crashed', reason: 'it threw' }, 20))
    assert.deepEqual(await timesOf(store, job), { owner: '', due_at: 1_020, deadline_at: 6_000 })
  },

  async 'an owner does not end a step at a deadline that was extended meanwhile, and ends it at the later one'({
    store,
  }) {
    const job = await hold(store)
    await extend(store, job, { at: 999, byMs: 1 })
    assert.deepEqual(await store.commit(changeAfter(job, { type: 'Due' }, 1_000)), isOver)
    assert.equal((await readMessage(store.read, job.message.message_id))?.status, 'PENDING')
    const again = await readJob(store.read, job.step.callback_id)
    assert.deepEqual(await store.commit(changeAfter(again, { type: 'Due' }, 1_001)), { result: 'decided' })
    assert.equal((await readMessage(store.read, job.message.message_id))?.status, 'FAILED')
  },

  async 'a free step that waits for its verdict is due at the extended deadline, one that waits for a retry is not'({
    store,
  }) {
    const waiting = await hold(store)
    await store.commit(changeAfter(waiting, completed, 20))
    await extend(store, waiting, { byMs: 5_000 })
    assert.deepEqual(await timesOf(store, waiting), { owner: '', due_at: 6_020, deadline_at: 6_020 })
    const retried = await hold(store, 100_000)
    await store.commit(changeAfter(retried, { type: 'Crashed', reason: 'it threw' }, 0))
    await extend(store, retried, { byMs: 5_000 })
    assert.deepEqual(await timesOf(store, retried), { owner: '', due_at: 60_000, deadline_at: 105_000 })
  },

  async 'no deadline is extended that has passed, and none of a step that has ended'({ store }) {
    const job = await hold(store)
    assert.equal(await extend(store, job, { at: 1_000, byMs: 5_000 }), 'over')
    await store.commit(verdictOn(job))
    assert.equal(await extend(store, job, { byMs: 5_000 }), 'over')
    assert.equal((await timesOf(store, job))?.deadline_at, 1_000)
  },

  async 'of an expiry and an extension in the same moment, the one that finds the step first counts'({ store }) {
    for (let round = 0; round < 10; round += 1) {
      const job = await hold(store)
      const [extended, { result }] = await Promise.all([
        extend(store, job, { at: 999, byMs: 5_000 }),
        store.commit(changeAfter(job, { type: 'Due' }, 1_000)),
      ])
      const step = await readStep(store.read, job.step.callback_id)
      const isOpen = step?.state === 'DISPATCHING'
      assert.deepEqual([extended, result], isOpen ? ['extended', 'rejected'] : ['over', 'decided'])
      assert.equal(step?.deadline_at, isOpen ? 6_000 : 1_000)
    }
  },

  async 'the latest extensions are kept, and none that would be too late'({ store }) {
    const job = await hold(store)
    for (let at = 0; at < 10; at += 1) await extend(store, job, { at, byMs: 100 })
    await assert.rejects(extend(store, job, { byMs: 100, latestAt: 2_099 }), { message: 'too late' })
    const row = await store.read.get<{ extensions_json: string }>(
      'SELECT extensions_json FROM step_view WHERE callback_id = $1',
      job.step.callback_id,
    )
    const kept: Extension[] = JSON.parse(row?.extensions_json ?? '[]')
    assert.deepEqual(
      kept,
      [2, 3, 4, 5, 6, 7, 8, 9].map((at) => ({ at, until: 1_100 + 100 * at, keyId: 'AKIAOPERATOR' })),
    )
    assert.equal((await timesOf(store, job))?.deadline_at, 2_000)
  },
}

/** A held message whose first step `node-1` owns. */
async function hold(store: Store, ms = deadlineMs): Promise<Job> {
  if (!(await store.read.get('SELECT 1 FROM channel_head'))) await openChannel(store)
  const held = heldMessage({}, undefined, { deadlineMs: ms })
  await store.commit(held)
  return readJob(store.read, held.flow.step.callback_id)
}

const extend = (
  store: Store,
  { step }: Job,
  { at = 0, byMs, latestAt = 1e9 }: { at?: number; byMs: number; latestAt?: number },
) =>
  store.transaction(async (transaction) => {
    const result = await extendDeadline(transaction, step, { at, byMs, keyId: 'AKIAOPERATOR', latestAt })
    if (result === 'too late') throw new Error(result)
    return result
  }, 'read committed')

async function timesOf(store: Store, { step }: Job) {
  const row = await readStep(store.read, step.callback_id)
  return row && { owner: row.owner, due_at: row.due_at, deadline_at: row.deadline_at }
}
