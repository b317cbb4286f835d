import assert from 'node:assert/strict'
import type { FlowEvent } from '../../src/flow/transition.ts'
import type { Store } from '../../src/store/store.ts'
import {
  ana,
  changeAfter,
  heldMessage,
  lobby,
  numberOf,
  openChannel,
  plainMessage,
  processors,
  readJob,
  readMessage,
  tokenRow,
  verdictOn,
} from '../support/rows.ts'
import { updateOf } from './accept-update-cases.ts'
import { type Cases, listenTo } from './store-suite.ts'

const noMember = { result: 'rejected', because: 'sender is no member' }
const isOver = { result: 'rejected', because: 'step is over' }

const deleteChannel = (store: Store) =>
  store.write('UPDATE channel_head SET deleted_at = 5 WHERE channel_id = $1', numberOf(lobby))

/** All rows that a hot write may change. */
async function rows(store: Store): Promise<unknown[]> {
  const tables = ['channel_head', 'channel_log', 'channel_message', 'flow_run', 'flow_step', 'idempotency_token']
  return Promise.all(tables.map((table) => store.read.all(`SELECT * FROM ${table} ORDER BY 1, 2`)))
}

/** A channel is deleted by its head row alone: all its other rows still exist. */
export const tombstoneCases: Cases = {
  async 'a deleted channel accepts no message, and keeps no token of one'({ store }) {
    await openChannel(store)
    await deleteChannel(store)
    const before = await rows(store)
    const told = listenTo(store)
    assert.deepEqual(await store.commit(plainMessage({}, tokenRow())), noMember)
    assert.deepEqual(await store.commit(heldMessage()), noMember)
    assert.deepEqual(await rows(store), before)
    assert.deepEqual(
      told.flatMap(({ events, jobs }) => [...events, ...jobs]),
      [],
    )
  },

  async 'a deleted channel accepts no update'({ store }) {
    await openChannel(store)
    const sent = plainMessage()
    await store.commit(sent)
    const message = await readMessage(store.read, sent.message.message_id)
    assert.ok(message)
    await deleteChannel(store)
    const before = await rows(store)
    const rejected = { result: 'rejected', because: 'message or flow has changed' }
    assert.deepEqual(await store.commit(updateOf(message, { content: '"new"' }, 5_000)), rejected)
    assert.deepEqual(await rows(store), before)
  },

  async 'no event of a step of a deleted channel changes anything'({ store }) {
    await openChannel(store)
    const held = heldMessage({}, processors(['first', 'ABORT'], ['second', 'ABORT']))
    await store.commit(held)
    const job = await readJob(store.read, held.flow.step.callback_id)
    await deleteChannel(store)
    const before = await rows(store)
    const told = listenTo(store)
    const outcomes: FlowEvent[] = [
      { type: 'Unreached', reason: 'no such function', permanent: true },
      { type: 'Unreached', reason: 'away', permanent: false },
    ]
    const changes = [
      verdictOn(job),
      verdictOn(job, { deny: true }),
      ...outcomes.map((outcome) => changeAfter(job, outcome, 1_000)),
    ]
    assert.deepEqual(
      changes.map(({ kind }) => kind),
      ['DecideStep', 'DecideStep', 'DecideStep', 'RecordHandOff'],
    )
    for (const change of changes) assert.deepEqual(await store.commit(change), isOver)
    assert.deepEqual(await rows(store), before)
    assert.deepEqual(
      told.flatMap(({ events, jobs, decided }) => [...events, ...jobs, ...decided]),
      [],
    )
  },

  async 'no step of a deleted channel is handed to a processor again'({ store }) {
    await openChannel(store)
    await store.commit(heldMessage())
    await deleteChannel(store)
    const take = { kind: 'TakeSteps', owner: 'node-1', now: Number.MAX_SAFE_INTEGER, againAt: 0, stepsMax: 9 } as const
    assert.deepEqual(await store.commit({ ...take, deadNode: undefined }), [])
  },

  async 'a deleted user sends nothing, although its membership still exists'({ store }) {
    await openChannel(store)
    await store.write('UPDATE app_instance_user SET deleted_at = 5 WHERE user_id = $1', numberOf(ana))
    const before = await rows(store)
    assert.deepEqual(await store.commit(plainMessage({}, tokenRow())), noMember)
    assert.deepEqual(await store.commit(heldMessage()), noMember)
    assert.deepEqual(await rows(store), before)
  },
}
