import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { startRun } from '../../src/flow/decision.ts'
import type { AcceptUpdate } from '../../src/store/changes.ts'
import { senderOnly, textOf } from '../../src/store/message-row.ts'
import type { Store } from '../../src/store/store.ts'
import type { MessageRow, MessageText } from '../../src/store/tables.ts'
import {
  lobby,
  node,
  numberOf,
  openChannel,
  plainMessage,
  processors,
  readJob,
  readMessage,
  twoDaysMs,
  withFlow,
} from '../support/rows.ts'
import { type Cases, listenTo } from './store-suite.ts'

const hasChanged = { result: 'rejected', because: 'message or flow has changed' }

export const acceptUpdateCases: Cases = {
  async 'an update is stored, numbered and reported with its own time, not with the time of the head'({ store }) {
    const message = await send(store)
    await store.commit(plainMessage({ created_at: 9_000 }))
    const told = listenTo(store)
    const update = updateOf(message, { content: '"new"' }, 5_000)
    assert.deepEqual(await store.commit(update), { result: 'accepted' })
    assert.deepEqual(plain(await readMessage(store.read, message.message_id)), update.message)
    const event = {
      channelId: numberOf(lobby),
      channelArn: lobby,
      seq: 3,
      createdAt: 5_000,
      ...update.event,
      subject: update.shown.message_id,
      revision: update.shown.revision,
      about: update.shown,
    }
    assert.deepEqual(told, [{ events: [event], jobs: [], decided: [], ended: [] }])
    const logged = await store.read.get<object>('SELECT event_type, revision FROM channel_log WHERE seq = 3')
    assert.deepEqual({ ...logged }, { event_type: 'UPDATE_CHANNEL_MESSAGE', revision: 2 })
  },

  async 'a held update adds its run and step, and does not change the text'({ store }) {
    const message = await send(store)
    const told = listenTo(store)
    const update = heldUpdateOf(message, { content: '"new"' })
    assert.deepEqual(await store.commit(update), { result: 'accepted' })
    const row = plain(await readMessage(store.read, message.message_id))
    assert.deepEqual([row?.content, row?.revision, row?.update_status], ['"hello"', 2, 'PENDING'])
    const job = await readJob(store.read, update.flow?.step.callback_id ?? '')
    assert.deepEqual({ ...job.run }, update.flow?.run)
    assert.deepEqual({ ...job.step }, update.flow?.step)
    assert.deepEqual(told[0]?.jobs, [{ ...update.flow, message: update.message }])
    assert.deepEqual(told[0]?.events[0]?.about, update.shown)
  },

  async 'an update is rejected without a trace if its channel’s flow has changed since it was read'({ store }) {
    const message = await send(store)
    const told = listenTo(store)
    const update = (channelFlowArn: string | null) =>
      store.commit({ ...updateOf(message, { content: '"new"' }, 5_000), channelFlowArn })
    await withFlow(store, 'flow-1')
    assert.deepEqual(await update(null), hasChanged)
    assert.deepEqual(await update('flow-2'), hasChanged)
    await withFlow(store, 'flow-1', 'required')
    assert.deepEqual(await update('flow-1'), hasChanged)
    await withFlow(store, 'flow-1')
    assert.deepEqual(plain(await readMessage(store.read, message.message_id)), message)
    assert.deepEqual(await update('flow-1'), { result: 'accepted' })
    assert.deepEqual(
      told.flatMap(({ events }) => events.map(({ seq }) => seq)),
      [2],
    )
  },

  async 'the first of two updates of one message in one batch is accepted, the other rejected without a trace'({
    store,
  }) {
    const message = await send(store)
    const told = listenTo(store)
    const updates = [heldUpdateOf(message, { content: '"one"' }), updateOf(message, { content: '"two"' }, 1)]
    const outcomes = await Promise.all(updates.map((update) => store.commit(update)))
    assert.deepEqual(outcomes, [{ result: 'accepted' }, hasChanged])
    assert.deepEqual(
      told.flatMap(({ events }) => events.map(({ seq }) => seq)),
      [2],
    )
    assert.equal((await readMessage(store.read, message.message_id))?.content, '"hello"')
  },

  async 'updates of different messages in one batch are all numbered'({ store }) {
    const messages = [await send(store), await send(store), await send(store)]
    const told = listenTo(store)
    await Promise.all(messages.map((message) => store.commit(updateOf(message, { content: '"new"' }, 1))))
    const events = told.flatMap((committed) => committed.events)
    assert.deepEqual(
      events.map(({ seq, about }) => [(about as MessageRow).message_id, seq]),
      messages.map(({ message_id }, index) => [message_id, index + 4]),
    )
  },

  async 'an update of a message that has changed since it was read is rejected: changed, redacted, not SENT, being updated, or deleted'({
    store,
  }) {
    const spoilt = [
      'revision = 2',
      'redacted = 1',
      `status = 'FAILED'`,
      `update_status = 'PENDING'`,
      `message_id = 'x'`,
    ]
    for (const set of spoilt) {
      const message = await send(store)
      const { message_id } = message
      await store.transaction((transaction) =>
        transaction.run(`UPDATE channel_message SET ${set} WHERE message_id = $1`, message_id),
      )
      const before = (await store.read.all('SELECT seq FROM channel_log')).length
      assert.deepEqual(await store.commit(heldUpdateOf(message, { content: '"new"' })), hasChanged, set)
      assert.equal((await store.read.all('SELECT seq FROM channel_log')).length, before)
    }
    assert.deepEqual(await store.read.all('SELECT 1 FROM flow_run'), [])
    assert.deepEqual(await store.read.all('SELECT 1 FROM flow_step'), [])
  },

  async 'a member’s update is rejected after its sender has left; a moderator need not be a member'({ store }) {
    const messages = [await send(store), await send(store), await send(store)] as const
    await store.transaction((transaction) =>
      transaction.run('DELETE FROM channel_membership WHERE member_id = $1', messages[0].sender_id),
    )
    assert.deepEqual(await store.commit(updateOf(messages[0], { content: '"new"' }, 1)), hasChanged)
    assert.deepEqual(await store.commit(heldUpdateOf(messages[1], { content: '"new"' })), hasChanged)
    assert.deepEqual(await store.read.all('SELECT 1 FROM flow_step'), [])
    const byModerator = { ...updateOf(messages[2], { content: '"new"' }, 1), asMember: false }
    assert.deepEqual(await store.commit(byModerator), { result: 'accepted' })
  },

  async "an update that failed stands in no other one's way"({ store }) {
    const message = { ...(await send(store)), update_status: 'FAILED' as const }
    await store.transaction((transaction) => transaction.run(`UPDATE channel_message SET update_status = 'FAILED'`))
    assert.deepEqual(await store.commit(updateOf(message, { content: '"new"' }, 1)), { result: 'accepted' })
  },

  async 'an update that throws only fails itself and does not change the message'({ store }) {
    const [broken, whole] = [await send(store), await send(store)]
    const held = heldUpdateOf(whole, { content: '"whole"' })
    const clash = heldUpdateOf(broken, { content: '"broken"' })
    assert.ok(held.flow && clash.flow)
    const { callback_id } = held.flow.step
    const outcomes = await Promise.allSettled([
      store.commit(held),
      store.commit({ ...clash, flow: { ...clash.flow, step: { ...clash.flow.step, callback_id } } }),
    ])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    )
    assert.deepEqual(plain(await readMessage(store.read, broken.message_id)), broken)
  },
}

async function send(store: Store): Promise<MessageRow> {
  if (!(await store.read.get('SELECT 1 FROM channel_head'))) await openChannel(store)
  const outcome = await store.commit(plainMessage({ created_at: 1_000 }))
  assert.ok(outcome.result === 'accepted')
  return outcome.message
}

/** The updates that UpdateChannelMessage commits. */
export function updateOf(before: MessageRow, text: Partial<MessageText>, now: number): AcceptUpdate {
  const asIs = { asMember: true, channelFlowArn: undefined, flow: undefined }
  const message = { ...before, ...text, revision: before.revision + 1, edited_at: now, updated_at: now }
  const event = { eventType: 'UPDATE_CHANNEL_MESSAGE', audience: { to: 'members' } } as const
  return { kind: 'AcceptUpdate', message, ...asIs, shown: message, event, now }
}

function heldUpdateOf(before: MessageRow, text: Partial<MessageText>, now = 5_000): AcceptUpdate {
  const message: MessageRow = { ...before, revision: before.revision + 1, update_status: 'PENDING' }
  const flow = {
    channelFlowArn: 'arn:flow',
    processors: processors(['redact', 'ABORT']),
    deadlineMs: twoDaysMs,
  }
  const run = startRun(message, { ...textOf(before), ...text }, flow, node, {
    now,
    newId: randomUUID,
    random: () => 0,
  })
  const event = { eventType: 'PENDING_UPDATE_CHANNEL_MESSAGE', audience: senderOnly(message) } as const
  const shown: MessageRow = { ...message, ...text, status: 'PENDING' }
  // Which flow the channel has does not matter here.
  return { kind: 'AcceptUpdate', message, asMember: true, channelFlowArn: undefined, shown, event, flow: run, now }
}

const plain = (row: MessageRow | undefined): MessageRow | undefined => row && { ...row }
