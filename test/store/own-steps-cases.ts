import assert from 'node:assert/strict'
import { shardOf } from '../../src/store/shards.ts'
import { type OwnStepsCursor, ownStepsBegin, readJobs, readOwnSteps, readOwnStepsPage } from '../../src/store/steps.ts'
import type { Store } from '../../src/store/store.ts'
import { channel, heldMessage, lobby, numberOf, openChannel, processors, readJob, verdictOn } from '../support/rows.ts'
import type { Cases } from './store-suite.ts'

const functionArn = processors(['redact', 'ABORT'])[0]?.Configuration.Lambda.ResourceArn ?? ''
const range = { owner: 'node-1', channelId: numberOf(lobby), functionArn, dueFrom: 0, dueUntil: 100_000, stepsMax: 10 }

export const ownStepsCases: Cases = {
  async 'the steps that a node owns for a channel and function are read in the order of due_at'({ store }) {
    const elsewhere = channel('elsewhere')
    for (const channelArn of [lobby, elsewhere]) await openChannel(store, channelArn)
    const second = await hold(store, { dueAt: 2_000, createdAt: 20 })
    const third = await hold(store, { dueAt: 2_000, createdAt: 30 })
    const first = await hold(store, { dueAt: 1_000, createdAt: 40 })
    await hold(store, { dueAt: 1_000, owner: 'node-2' })
    await hold(store, { dueAt: 1_000, owner: '' })
    await hold(store, { dueAt: 1_000, channelArn: elsewhere })
    await hold(store, { dueAt: 1_000, functionName: 'translate' })
    const decided = await hold(store, { dueAt: 1_000 })
    await store.commit(verdictOn(await readJob(store.read, decided)))
    const read = async (given: Partial<typeof range> = {}) =>
      (await readOwnSteps(store.read, { ...range, ...given })).map((step) => step.callback_id)
    assert.deepEqual(await read(), [first, second, third])
    assert.deepEqual(await read({ stepsMax: 2 }), [first, second])
    assert.deepEqual(await read({ dueFrom: 1_001 }), [second, third])
    assert.deepEqual(await read({ dueUntil: 1_999 }), [first])
  },

  async 'a walk reads all rows of a node page by page, each once, with any number due in one millisecond'({ store }) {
    await openChannel(store)
    const ids: string[] = []
    for (const dueAt of [5, 5, 5, 5, 7, 3, -1]) ids.push(await hold(store, { dueAt }))
    await hold(store, { dueAt: 5, owner: 'node-2' })
    const shard = shardOf(numberOf(lobby))
    const found: string[] = []
    let cursor: OwnStepsCursor = { ...ownStepsBegin, shard }
    for (let pages = 0; pages < 4; pages += 1) {
      const page = await readOwnStepsPage(store.read, 'node-1', cursor, 2)
      found.push(...page.map(({ callback_id }) => callback_id))
      const last = page.at(-1)
      assert.ok(last && last.channel_arn === lobby && last.function_arn === functionArn)
      cursor = { shard, dueAt: last.due_at, callbackId: last.callback_id }
    }
    assert.deepEqual(found.toSorted(), ids.toSorted())
    assert.deepEqual([found[0], found[1], found[6]], [ids[6], ids[5], ids[4]])
    assert.deepEqual(await readOwnStepsPage(store.read, 'node-1', { ...ownStepsBegin, shard: shard + 1 }, 2), [])
  },

  async 'jobs are read in the order of their steps'({ store }) {
    await openChannel(store)
    const ids = [await hold(store, { dueAt: 3 }), await hold(store, { dueAt: 2 }), await hold(store, { dueAt: 1 })]
    const jobs = await Promise.all(ids.map((id) => readJob(store.read, id)))
    const steps = jobs.map(({ step }) => step)
    assert.deepEqual(await readJobs(store.read, numberOf(lobby), steps), jobs)
    assert.deepEqual(await readJobs(store.read, numberOf(lobby), []), [])
    const gone = steps[1]?.message_id ?? ''
    await store.transaction((transaction) => transaction.run('DELETE FROM channel_message WHERE message_id = $1', gone))
    assert.deepEqual(await readJobs(store.read, numberOf(lobby), steps), [jobs[0], jobs[2]])
  },
}

interface Held {
  dueAt: number
  createdAt?: number
  owner?: string
  channelArn?: string
  functionName?: string
}

/** The CallbackId of a step. */
async function hold(store: Store, given: Held): Promise<string> {
  const { dueAt, createdAt = 0, owner = 'node-1', channelArn = lobby, functionName = 'redact' } = given
  const list = processors([functionName, 'ABORT'])
  const held = heldMessage({ channel_arn: channelArn, created_at: createdAt }, list, { step: { owner, due_at: dueAt } })
  await store.commit(held)
  return held.flow.step.callback_id
}
