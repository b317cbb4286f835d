import assert from 'node:assert/strict'
import type { AcceptOutcome } from '../../src/store/changes.ts'
import type { Reader } from '../../src/store/store.ts'
import type { MessageRow } from '../../src/store/tables.ts'
import {
  ben,
  channel,
  ghost,
  heldMessage,
  lobby,
  numberOf,
  openChannel,
  plainMessage,
  readJob,
  readMessage,
  tokenRow,
  user,
  withFlow,
} from '../support/rows.ts'
import { type Cases, listenTo } from './store-suite.ts'

export const acceptMessageCases: Cases = {
  async 'a message is numbered, stored and reported as its outcome says'({ store }) {
    await openChannel(store)
    const told = listenTo(store)
    const outcome = await store.commit(plainMessage({ created_at: 1_000 }))
    const message = accepted(outcome)
    assert.equal(message.seq, 1)
    assert.deepEqual({ ...(await readMessage(store.read, message.message_id)) }, message)
    const event = {
      channelId: numberOf(lobby),
      channelArn: lobby,
      seq: 1,
      eventType: 'CREATE_CHANNEL_MESSAGE',
      createdAt: 1_000,
    }
    assert.deepEqual(told, [
      {
        events: [{ ...event, audience: { to: 'members' }, subject: message.message_id, revision: 1, about: message }],
        jobs: [],
        decided: [],
        ended: [],
      },
    ])
    assert.deepEqual(await readLog(store.read), [`1 CREATE_CHANNEL_MESSAGE ${message.message_id} at 1000`])
  },

  async 'a message held by a flow adds its run, and its first step, which this node owns'({ store }) {
    await openChannel(store)
    const told = listenTo(store)
    const held = heldMessage()
    const message = accepted(await store.commit(held))
    assert.equal(message.status, 'PENDING')
    assert.deepEqual(told[0]?.jobs, [{ ...held.flow, message }])
    const read = await readJob(store.read, held.flow.step.callback_id)
    assert.deepEqual({ ...read.run }, held.flow.run)
    assert.deepEqual({ ...read.step }, held.flow.step)
  },

  async 'a message of a sender without a DEFAULT membership is rejected without a trace'({ store }) {
    await openChannel(store)
    const told = listenTo(store)
    for (const sender_arn of [user('stranger'), ghost]) {
      const rejected = await store.commit(plainMessage({ sender_arn }, tokenRow()))
      assert.deepEqual(rejected, { result: 'rejected', because: 'sender is no member' })
    }
    assert.deepEqual(
      told.flatMap(({ events }) => events),
      [],
    )
    assert.equal(accepted(await store.commit(plainMessage({}, tokenRow()))).seq, 1, 'number and token are still free')
  },

  async 'a message to a channel that does not exist is rejected'({ store }) {
    const rejected = await store.commit(plainMessage({ channel_arn: channel('nowhere') }))
    assert.deepEqual(rejected, { result: 'rejected', because: 'sender is no member' })
  },

  async 'a message is rejected without a trace if its channel’s flow has changed since it was read'({ store }) {
    await openChannel(store)
    const rejected = { result: 'rejected', because: 'flow has changed' }
    const send = (channelFlowArn: string | null | undefined) =>
      store.commit({ ...plainMessage({}, tokenRow({ token_key: `as of ${channelFlowArn}` })), channelFlowArn })
    assert.deepEqual(await send(null), rejected, 'a channel that is gone has no flow, but no message either')
    await withFlow(store, null)
    assert.deepEqual(await send('flow-1'), rejected)
    assert.equal(accepted(await send(null)).seq, 1)
    await withFlow(store, 'flow-1')
    assert.deepEqual(await send('flow-2'), rejected)
    assert.equal(accepted(await send('flow-1')).seq, 2)
    assert.equal(accepted(await send(undefined)).seq, 3, 'a message that no flow holds does not ask')
    assert.equal((await store.read.all('SELECT 1 FROM idempotency_token')).length, 3)
  },

  async 'the flow that the AppInstance requires counts, whatever flow the channel has'({ store }) {
    await openChannel(store)
    const send = (channelFlowArn: string | null) => store.commit({ ...plainMessage({}, undefined), channelFlowArn })
    for (const own of [null, 'flow-1', 'required']) {
      await withFlow(store, own, 'required')
      for (const read of [null, 'flow-1']) {
        assert.deepEqual(await send(read), { result: 'rejected', because: 'flow has changed' })
      }
      assert.equal((await send('required')).result, 'accepted')
    }
  },

  async 'a token belongs to the first message, within a batch and afterwards'({ store }) {
    await openChannel(store)
    const inOneBatch = await Promise.all([
      store.commit(plainMessage({}, tokenRow({ answer_json: '"first"' }))),
      store.commit(plainMessage({}, tokenRow({ answer_json: '"second"' }))),
      store.commit(plainMessage({ sender_arn: ben }, tokenRow({ token_key: 'of ben' }))),
    ])
    const later = await store.commit(plainMessage({}, tokenRow()))
    const inUse = { result: 'rejected', because: 'token is in use' }
    assert.deepEqual([inOneBatch[1], later], [inUse, inUse])
    assert.deepEqual([accepted(inOneBatch[0]).seq, accepted(inOneBatch[2]).seq], [1, 2])
    const token = await store.read.get<{ answer_json: string }>(
      `SELECT answer_json FROM idempotency_token WHERE token_key = 'token-1'`,
    )
    assert.equal(token?.answer_json, '"first"')
  },

  async 'rejected messages do not fail others of their batch'({ store }) {
    await openChannel(store)
    const senders = [ben, user('stranger'), ben, ghost, ben]
    const outcomes = await Promise.all(senders.map((sender_arn) => store.commit(plainMessage({ sender_arn }))))
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.result === 'accepted' ? outcome.message.seq : outcome.because)),
      [1, 'sender is no member', 2, 'sender is no member', 3],
    )
  },

  async 'a write that throws only fails itself: the others are committed, numbered without a gap and reported'({
    store,
  }) {
    await openChannel(store)
    const told = listenTo(store)
    const [one, two, three] = [plainMessage(), plainMessage({}, tokenRow()), plainMessage()]
    const twice = plainMessage({ message_id: one.message.message_id }, tokenRow({ token_key: 'token-2' }))
    const outcomes = await Promise.allSettled([one, twice, two, three].map((change) => store.commit(change)))
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
    )
    const ids = [one, two, three].map(({ message }) => message.message_id)
    assert.deepEqual(
      await readLog(store.read),
      ids.map((id, index) => `${index + 1} CREATE_CHANNEL_MESSAGE ${id} at 0`),
    )
    assert.deepEqual(
      told.flatMap(({ events }) => events.map(({ seq }) => seq)),
      [1, 2, 3],
    )
    const tokens = await store.read.all<{ token: string }>('SELECT token_key AS token FROM idempotency_token')
    assert.deepEqual(
      tokens.map(({ token }) => token),
      ['token-1'],
    )
  },

  async 'numbers have no gaps in any channel, and every event is reported once'({ store }) {
    const channels = [lobby, channel('garden')]
    for (const channelArn of channels) await openChannel(store, channelArn)
    const told = listenTo(store)
    const sent = Array.from({ length: 600 }, (_, index) => plainMessage({ channel_arn: channels[index % 2] as string }))
    await Promise.all(sent.map((change) => store.commit(change)))
    assert.ok(told.length < sent.length, 'neighbours share a commit')
    for (const channelArn of channels) {
      const events = told.flatMap((committed) => committed.events).filter((event) => event.channelArn === channelArn)
      const seqs = Array.from({ length: 300 }, (_, index) => index + 1)
      assert.deepEqual(
        events.map(({ seq }) => seq).toSorted((a, b) => Number(a) - Number(b)),
        seqs,
      )
      assert.deepEqual(
        (await readLog(store.read, channelArn)).map((line) => Number.parseInt(line, 10)),
        seqs,
      )
    }
  },

  async 'CreatedTimestamp never decreases in a channel, even if the clock is set back'({ store }) {
    await openChannel(store)
    await openChannel(store, channel('garden'))
    const times: number[] = []
    for (const created_at of [2_000, 1_000, 3_000]) {
      times.push(accepted(await store.commit(plainMessage({ created_at }))).created_at)
    }
    assert.deepEqual(times, [2_000, 2_000, 3_000])
    const elsewhere = plainMessage({ channel_arn: channel('garden'), created_at: 500 })
    assert.equal(accepted(await store.commit(elsewhere)).created_at, 500, 'another channel has a time of its own')
  },

  async 'any text survives: NUL, lone surrogates, emoji, quotes'({ store, reopen }) {
    await openChannel(store)
    const texts = ['\0', 'a\0b', '\ud800', '\udc00\ud800', '💥', '"\'\\', '\u2028', '']
    const changes = texts.map((text) => plainMessage({ content: JSON.stringify(text), metadata: JSON.stringify(text) }))
    await Promise.all(changes.map((change) => store.commit(change)))
    const { read } = await reopen()
    for (const [index, { message }] of changes.entries()) {
      const row = await readMessage(read, message.message_id)
      assert.equal(JSON.parse(row?.content ?? 'null'), texts[index])
      assert.equal(JSON.parse(row?.metadata ?? 'null'), texts[index])
    }
  },

  async 'the time of the last message moves with a message that is SENT at once, not with one that is PENDING'({
    store,
  }) {
    await openChannel(store)
    await store.commit(heldMessage({ created_at: 1_000 }))
    assert.equal(await lastMessageAt(store.read), null)
    await store.commit(plainMessage({ created_at: 2_000 }))
    assert.equal(await lastMessageAt(store.read), 2_000)
  },
}

function accepted(outcome: AcceptOutcome): MessageRow {
  assert.ok(outcome.result === 'accepted', JSON.stringify(outcome))
  return outcome.message
}

async function readLog(read: Reader, channelArn = lobby): Promise<string[]> {
  const rows = await read.all<{ seq: number; event_type: string; subject: string; created_at: number }>(
    `SELECT channel_log.*, channel_arn FROM channel_log
     JOIN channel_head ON channel_head.channel_id = channel_log.channel_id WHERE channel_arn = $1 ORDER BY seq`,
    channelArn,
  )
  return rows.map((row) => `${row.seq} ${row.event_type} ${row.subject} at ${row.created_at}`)
}

async function lastMessageAt(read: Reader): Promise<number | null | undefined> {
  const head = await read.get<{ last_message_at: number | null }>(
    'SELECT last_message_at FROM channel_head WHERE channel_arn = $1',
    lobby,
  )
  return head?.last_message_at
}
