import assert from 'node:assert/strict'
import { shardOf } from '../../src/store/shards.ts'
import type { Store } from '../../src/store/store.ts'
import type { Turn } from '../../src/store/tables.ts'
import { channel, heldMessage, lobby, numberOf, openChannel, readTurn, verdictOn } from '../support/rows.ts'
import type { Cases } from './store-suite.ts'

export const leaseStepsCases: Cases = {
  async 'steps that are due are leased, with their run and message; others are not'({ store }) {
    const due = await hold(store, { dueAt: 1_000 })
    await hold(store, { dueAt: 1_001 })
    const [turn, ...others] = await lease(store, { now: 1_000, leaseUntil: 31_000 })
    assert.deepEqual(others, [])
    assert.deepEqual(turn && plain(turn), plain(await readTurn(store.read, due)))
    assert.deepEqual([turn?.step.owner, turn?.step.due_at], ['node-2', 31_000])
  },

  async 'the longest waiting are taken first, no more than asked for, in the order of their making'({ store }) {
    const ids: string[] = []
    for (const dueAt of [300, 100, 200, 400]) ids.push(await hold(store, { dueAt, createdAt: dueAt / 10 }))
    const first = await lease(store, { now: 1_000, stepsMax: 3 })
    assert.deepEqual(first.map(callbackIdOf), [ids[1], ids[2], ids[0]])
    const rest = await lease(store, { now: 1_000, stepsMax: 3 })
    assert.deepEqual(rest.map(callbackIdOf), [ids[3]])
  },

  async 'what a living node has in hand is left to it when its lease is over, until the deadline'({ store }) {
    await openChannel(store)
    const held = heldMessage({ created_at: 0 }, undefined, { deadlineMs: 100_000 })
    const step = { ...held.flow.step, owner: 'living', due_at: 30_000 }
    await store.commit({ ...held, flow: { ...held.flow, step } })
    await store.transaction((transaction) => transaction.insert('node', { node_id: 'living', alive_until: 33_000 }))
    const lease = async (owner: string, now: number) => {
      const change = { kind: 'LeaseSteps', owner, now, leaseUntil: now + 30_000, stepsMax: 10 } as const
      return (await store.commit(change)).length
    }
    assert.equal(await lease('other', 30_000), 0)
    assert.equal(await lease('living', 30_000), 1, 'it renews its lease')
    assert.equal(await lease('other', 60_000), 0)
    assert.equal(await lease('other', 100_000), 1, 'somebody must end it')
  },

  async 'a leased step is not handed out again before its lease is over'({ store }) {
    const callbackId = await hold(store, { dueAt: 1_000 })
    await lease(store, { now: 1_000, leaseUntil: 31_000 })
    assert.deepEqual(await lease(store, { now: 30_999 }), [])
    assert.deepEqual((await lease(store, { now: 31_000 })).map(callbackIdOf), [callbackId])
  },

  async 'one step is leased once, by the first of two that ask in one batch'({ store }) {
    await hold(store, { dueAt: 1_000 })
    const asked = { now: 1_000 }
    const [first, second] = await Promise.all([lease(store, asked, 'node-2'), lease(store, asked, 'node-3')])
    assert.deepEqual([first.length, second.length], [1, 0])
  },

  async 'a step that is over is never leased, not even one that its own batch decides'({ store }) {
    const decided = await hold(store, { dueAt: 1_000 })
    await store.commit(verdictOn(await readTurn(store.read, decided), {}, 10))
    assert.deepEqual(await lease(store, { now: 1_000_000 }), [])
    const open = await hold(store, { dueAt: 2_000 })
    assert.deepEqual((await lease(store, { now: 2_000, stepsMax: 1 })).map(callbackIdOf), [open], 'it takes no place')
    const raced = await readTurn(store.read, await hold(store, { dueAt: 3_000 }))
    const [, leased] = await Promise.all([
      store.commit(verdictOn(raced, { deny: true }, 10)),
      lease(store, { now: 3_000 }),
    ])
    assert.deepEqual(leased, [])
  },

  async 'the next time that a step is due is told, whatever its channel, and whoever has it in hand'({ store }) {
    assert.equal(await store.nextDueAt(), undefined)
    const ids: string[] = []
    for (const [index, dueAt] of [3_000, 2_000, 4_000].entries()) {
      const channelArn = channel(`room-${index}`)
      await openChannel(store, channelArn)
      ids.push(await hold(store, { dueAt, channelArn }))
    }
    assert.equal(await store.nextDueAt(), 2_000)
    await store.commit(verdictOn(await readTurn(store.read, ids[1] as string)))
    assert.equal(await store.nextDueAt(), 3_000)
    await lease(store, { now: 3_000, leaseUntil: 33_000 })
    assert.equal(await store.nextDueAt(), 4_000)
  },

  async 'due steps are found in every shard'({ store }) {
    const channels = Array.from({ length: 400 }, (_, index) => channel(`room-${index}`))
    const shards = new Set(channels.map((channelArn) => shardOf(numberOf(channelArn))))
    assert.equal(shards.size, 64, 'the channels are of all shards')
    for (const channelArn of channels) await openChannel(store, channelArn)
    const ids = await Promise.all(channels.map((channelArn) => hold(store, { dueAt: 1_000, channelArn })))
    assert.equal((await lease(store, { now: 999, stepsMax: 1_000 })).length, 0)
    const leased = await lease(store, { now: 1_000, stepsMax: 1_000 })
    assert.deepEqual(leased.map(callbackIdOf).sort(), ids.sort())
  },

  async 'a lease ends with the deadline, so that the deadline is not slept through'({ store }) {
    const callbackId = await hold(store, { dueAt: 1_000, deadlineMs: 5_000 })
    await lease(store, { now: 1_000, leaseUntil: 31_000 })
    assert.equal((await readTurn(store.read, callbackId)).step.due_at, 5_000)
    assert.deepEqual((await lease(store, { now: 5_000 })).map(callbackIdOf), [callbackId])
  },

  async 'a step whose deadline has passed is leased for the whole time: whoever has it ends it'({ store }) {
    const callbackId = await hold(store, { dueAt: 1_000, deadlineMs: 5_000 })
    await lease(store, { now: 5_000, leaseUntil: 35_000 })
    assert.equal((await readTurn(store.read, callbackId)).step.due_at, 35_000)
    assert.deepEqual(await lease(store, { now: 34_999 }), [])
    assert.deepEqual((await lease(store, { now: 35_000 })).map(callbackIdOf), [callbackId])
  },
}

/** A step of a message of its own: leased to node-1 until `dueAt`. */
async function hold(
  store: Store,
  {
    dueAt,
    deadlineMs = 1e9,
    createdAt = 0,
    channelArn = lobby,
  }: { dueAt: number; deadlineMs?: number; createdAt?: number; channelArn?: string },
): Promise<string> {
  const channelOpen = await store.read.get('SELECT 1 FROM channel_head')
  if (!channelOpen) await openChannel(store)
  const by = { owner: 'node-1', leaseMs: dueAt - createdAt }
  const held = heldMessage({ channel_arn: channelArn, created_at: createdAt }, undefined, { deadlineMs, by })
  await store.commit(held)
  return held.flow.step.callback_id
}

const lease = (
  store: Store,
  { now, leaseUntil = now + 30_000, stepsMax = 10 }: { now: number; leaseUntil?: number; stepsMax?: number },
  owner = 'node-2',
) => store.commit({ kind: 'LeaseSteps', owner, now, leaseUntil, stepsMax })

const callbackIdOf = ({ step }: { step: { callback_id: string } }) => step.callback_id

const plain = ({ step, run, message }: Turn): Turn => ({ step: { ...step }, run: { ...run }, message: { ...message } })
