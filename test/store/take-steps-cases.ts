import assert from 'node:assert/strict'
import { shardOf } from '../../src/store/shards.ts'
import { readDeadOwners, readNextDueAt } from '../../src/store/steps.ts'
import type { Store } from '../../src/store/store.ts'
import type { Job } from '../../src/store/tables.ts'
import { channel, heldMessage, lobby, numberOf, openChannel, readJob, verdictOn } from '../support/rows.ts'
import type { Cases } from './store-suite.ts'

export const takeStepsCases: Cases = {
  async 'free steps that are due are taken, with their run and message; others are not'({ store }) {
    const due = await hold(store, { dueAt: 1_000 })
    await hold(store, { dueAt: 1_001 })
    const [job, ...others] = await take(store, { now: 1_000 })
    assert.deepEqual(others, [])
    assert.deepEqual(job && plain(job), plain(await readJob(store.read, due)))
    assert.deepEqual([job?.step.owner, job?.step.due_at], ['node-2', farOff], 'its next time is its deadline')
  },

  async 'the oldest are taken first, at most the given number, in the order of creation'({ store }) {
    const ids: string[] = []
    for (const dueAt of [300, 100, 200, 400]) ids.push(await hold(store, { dueAt, createdAt: dueAt / 10 }))
    const first = await take(store, { now: 1_000, stepsMax: 3 })
    assert.deepEqual(first.map(callbackIdOf), [ids[1], ids[2], ids[0]])
    const rest = await take(store, { now: 1_000, stepsMax: 3 })
    assert.deepEqual(rest.map(callbackIdOf), [ids[3]])
  },

  async 'only its owner takes a step of a living node, even at the deadline'({ store }) {
    const callbackId = await hold(store, { owner: 'living', dueAt: 1_000, deadlineAt: 5_000 })
    await beAlive(store, 'living')
    for (const now of [1_000, 5_000, 1e9]) {
      assert.deepEqual(await take(store, { now }), [])
      assert.deepEqual(await take(store, { now, deadNode: 'living' }), [])
    }
    assert.deepEqual(await take(store, { now: 999 }, 'living'), [])
    assert.deepEqual((await take(store, { now: 1_000 }, 'living')).map(callbackIdOf), [callbackId])
    assert.equal((await readJob(store.read, callbackId)).step.due_at, 5_000, 'the deadline has moved meanwhile')
    assert.deepEqual((await take(store, { now: 5_000 }, 'living')).map(callbackIdOf), [callbackId])
  },

  async 'a step whose deadline has passed is due again some time after it was taken, until it ends'({ store }) {
    const callbackId = await hold(store, { dueAt: 1_000, deadlineAt: 5_000 })
    await take(store, { now: 5_000, againAt: 35_000 })
    assert.equal((await readJob(store.read, callbackId)).step.due_at, 35_000)
    assert.deepEqual(await take(store, { now: 34_999 }), [])
    assert.deepEqual((await take(store, { now: 35_000 })).map(callbackIdOf), [callbackId])
  },

  async 'the orphans of a dead node are taken in pieces, due or not, each channel in order'({ store }) {
    const [first, second, third] = [
      await hold(store, { owner: 'dead', dueAt: farOff - 2 }),
      await hold(store, { owner: 'dead', dueAt: farOff - 1 }),
      await hold(store, { owner: 'dead', dueAt: farOff }),
    ]
    await hold(store, { owner: 'living', dueAt: farOff })
    await hold(store, { dueAt: farOff })
    await beAlive(store, 'living')
    assert.deepEqual(await readDeadOwners(store.read, 'node-2'), ['dead'])
    assert.deepEqual(await take(store, { now: 0 }), [], 'it is asked for by name')
    const pieces = [
      await take(store, { now: 0, deadNode: 'dead', stepsMax: 2 }),
      await take(store, { now: 0, deadNode: 'dead', stepsMax: 2 }, 'living'),
    ]
    assert.deepEqual(
      pieces.map((jobs) => jobs.map(callbackIdOf).sort()),
      [[first, second].sort(), [third]],
    )
    assert.deepEqual(await readDeadOwners(store.read, 'node-2'), [])
    assert.deepEqual(await readDeadOwners(store.read, 'living'), ['node-2'])
  },

  async 'every owner without a row is found, with any number of free or owned steps, and none with only ended steps'({
    store,
  }) {
    for (const owner of ['a', 'b', 'c', 'd', 'd']) await hold(store, { owner, dueAt: farOff })
    await hold(store, { dueAt: 0 })
    const over = await hold(store, { owner: 'e', dueAt: farOff })
    await store.commit(verdictOn(await readJob(store.read, over)))
    await beAlive(store, 'b')
    assert.deepEqual(await readDeadOwners(store.read, 'c'), ['a', 'd'])
  },

  async 'the first of two TakeSteps in one batch takes a step'({ store }) {
    await hold(store, { dueAt: 1_000 })
    await hold(store, { owner: 'dead', dueAt: farOff })
    for (const asked of [{ now: 1_000 }, { now: 1_000, deadNode: 'dead' }]) {
      const [first, second] = await Promise.all([take(store, asked, 'node-2'), take(store, asked, 'node-3')])
      assert.deepEqual([first.length, second.length], [1, 0])
    }
  },

  async 'an ended step is never taken, not even one that ends in the same batch'({ store }) {
    const decided = await hold(store, { dueAt: 1_000 })
    await store.commit(verdictOn(await readJob(store.read, decided), {}, 10))
    assert.deepEqual(await take(store, { now: 1_000_000 }), [])
    const open = await hold(store, { dueAt: 2_000 })
    assert.deepEqual((await take(store, { now: 2_000, stepsMax: 1 })).map(callbackIdOf), [open], 'it takes no place')
    const raced = await readJob(store.read, await hold(store, { dueAt: 3_000 }))
    const [, taken] = await Promise.all([
      store.commit(verdictOn(raced, { deny: true }, 10)),
      take(store, { now: 3_000 }),
    ])
    assert.deepEqual(taken, [])
  },

  async 'readNextDueAt considers free and own steps of all channels'({ store }) {
    const next = () => readNextDueAt(store.read, 'node-1')
    assert.equal(await next(), undefined)
    const ids: string[] = []
    for (const [index, dueAt] of [3_000, 2_000, 4_000].entries()) {
      const channelArn = channel(`room-${index}`)
      await openChannel(store, channelArn)
      ids.push(await hold(store, { dueAt, channelArn, owner: index === 1 ? 'node-1' : '' }))
    }
    await hold(store, { dueAt: 1_000, channelArn: channel('room-0'), owner: 'node-2' })
    assert.equal(await next(), 2_000)
    await store.commit(verdictOn(await readJob(store.read, ids[1] as string)))
    assert.equal(await next(), 3_000)
    await take(store, { now: 3_000 })
    assert.equal(await next(), 4_000)
  },

  async 'due steps are found in every shard'({ store }) {
    const channels = Array.from({ length: 400 }, (_, index) => channel(`room-${index}`))
    const shards = new Set(channels.map((channelArn) => shardOf(numberOf(channelArn))))
    assert.equal(shards.size, 64, 'the channels are of all shards')
    for (const channelArn of channels) await openChannel(store, channelArn)
    const ids = await Promise.all(channels.map((channelArn) => hold(store, { dueAt: 1_000, channelArn })))
    assert.equal((await take(store, { now: 999, stepsMax: 1_000 })).length, 0)
    const taken = await take(store, { now: 1_000, stepsMax: 1_000 })
    assert.deepEqual(taken.map(callbackIdOf).sort(), ids.sort())
  },
}

const farOff = 1e9

interface Held {
  dueAt: number
  owner?: string
  deadlineAt?: number
  createdAt?: number
  channelArn?: string
}

/** A step of a new message. */
async function hold(store: Store, given: Held): Promise<string> {
  const { dueAt, owner = '', deadlineAt = farOff, createdAt = 0, channelArn = lobby } = given
  const channelOpen = await store.read.get('SELECT 1 FROM channel_head')
  if (!channelOpen) await openChannel(store)
  const step = { owner, due_at: dueAt, deadline_at: deadlineAt }
  const held = heldMessage({ channel_arn: channelArn, created_at: createdAt }, undefined, { step })
  await store.commit(held)
  return held.flow.step.callback_id
}

const take = (
  store: Store,
  asked: { now: number; deadNode?: string; againAt?: number; stepsMax?: number },
  owner = 'node-2',
) => {
  const { now, deadNode, againAt = now + 30_000, stepsMax = 10 } = asked
  return store.commit({ kind: 'TakeSteps', owner, deadNode, now, againAt, stepsMax })
}

const beAlive = (store: Store, node: string) =>
  store.transaction((transaction) => transaction.insert('node', { node_id: node, alive_until: farOff }))

const callbackIdOf = ({ step }: { step: { callback_id: string } }) => step.callback_id

const plain = ({ step, run, message }: Job): Job => ({ step: { ...step }, run: { ...run }, message: { ...message } })
