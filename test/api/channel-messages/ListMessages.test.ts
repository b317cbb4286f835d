import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Store } from '../../../src/store/store.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { populate } from '../../support/population.ts'
import { startTestServer } from '../../support/running-server.ts'

const clock = new ManualClock(Date.now())
let store!: Store
const aroundStore = (opened: Store) => {
  store = opened
  return opened
}
const server = await startTestServer({ clock, aroundStore })
const people = await populate(server)
await people.attachFlow(['first'])

interface Query {
  [parameter: string]: string | number
}

interface Message {
  MessageId: string
  SenderArn: string
  Status: string
  Detail?: string
  CreatedTimestamp: number
}

async function list(query: Query) {
  const parameters = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]))
  const { status, body } = await server.call('GET', `/carillon/v1/messages?${parameters}`)
  assert.equal(status, 200, JSON.stringify(body))
  return body as { ChannelName: string; Messages: Message[]; NextToken?: string; SearchedTo?: number }
}

const facts = (messages: Message[]) => messages.map(({ MessageId, Status }) => [MessageId, Status])

/** Sent, denied, pending: by different members, a second apart. */
async function send(channel: string) {
  const input = { ChannelArn: channel }
  const sent = await people.sendHeld(input)
  await people.allow(sent)
  clock.advance(1_000)
  const denied = await people.sendHeld(input)
  await people.deny(denied)
  clock.advance(1_000)
  const pending = await people.sendHeld({ ...input, ChimeBearer: people.owner })
  return [sent, denied, pending].map(({ ChannelMessage }) => ChannelMessage.MessageId)
}

async function newChannel(): Promise<string> {
  const channel = await people.createChannel()
  const flow = await people.createFlow(['first'])
  await server.messaging.associateChannelFlow({ ChannelArn: channel, ChannelFlowArn: flow, ChimeBearer: people.owner })
  return channel
}

suite('ListMessages', () => {
  test('lists what became of the messages of a channel, without their text', async () => {
    const channel = await newChannel()
    const [sent, denied, pending] = await send(channel)
    const { Messages, NextToken, SearchedTo } = await list({ 'channel-arn': channel })
    const all = [
      [pending, 'PENDING'],
      [denied, 'DENIED'],
      [sent, 'SENT'],
    ]
    assert.deepEqual([facts(Messages), NextToken, SearchedTo], [all, undefined, undefined])
    assert.deepEqual(
      Messages.map(({ SenderArn }) => SenderArn),
      [people.owner, people.member, people.member],
    )
    assert.ok(!JSON.stringify(Messages).includes('Content'))
  })

  test('by status, sender and time', async () => {
    const channel = await newChannel()
    const [sent, denied, pending] = await send(channel)
    const ids = async (query: Query) =>
      (await list({ 'channel-arn': channel, ...query })).Messages.map(({ MessageId }) => MessageId)
    assert.deepEqual(await ids({ status: 'DENIED' }), [denied])
    assert.deepEqual(await ids({ status: 'SENT' }), [sent])
    assert.deepEqual(await ids({ 'sender-arn': people.owner }), [pending])
    assert.deepEqual(await ids({ 'sender-arn': people.member }), [denied, sent])
    assert.deepEqual(await ids({ 'sender-arn': people.member, status: 'PENDING' }), [])
    const { Messages } = await list({ 'channel-arn': channel })
    const [{ CreatedTimestamp: last }, , { CreatedTimestamp: first }] = Messages as [Message, Message, Message]
    assert.deepEqual(await ids({ 'not-before': last }), [pending])
    assert.deepEqual(await ids({ 'not-after': first }), [sent])
  })

  test('in pages', async () => {
    const channel = await newChannel()
    const [sent, denied, pending] = await send(channel)
    const query = { 'channel-arn': channel, 'max-results': 2 }
    const first = await list(query)
    assert.deepEqual(
      first.Messages.map(({ MessageId }) => MessageId),
      [pending, denied],
    )
    const second = await list({ ...query, 'next-token': first.NextToken ?? assert.fail() })
    assert.deepEqual([facts(second.Messages), second.NextToken], [[[sent, 'SENT']], undefined])
  })

  test('stops after 5,000 rows, says how far it came, and searches on', async () => {
    const channel = await people.createChannel()
    const { MessageId } = await people.send({ ChannelArn: channel })
    await copyMessage(channel, MessageId ?? '', 6_000)
    const query = { 'channel-arn': channel, 'sender-arn': people.member, 'max-results': 5 }
    const first = await list(query)
    assert.deepEqual([first.Messages, typeof first.SearchedTo], [[], 'number'])
    const second = await list({ ...query, 'next-token': first.NextToken ?? assert.fail('the search has ended') })
    assert.deepEqual([facts(second.Messages), second.NextToken], [[[MessageId, 'SENT']], undefined])
    assert.equal((await list({ 'channel-arn': channel, 'max-results': 5 })).Messages.length, 5)
  })

  test('only of a channel that there is, in the AppInstance of the key', async () => {
    const unknown = `${people.appInstanceArn}/channel/none`
    assert.equal((await server.call('GET', `/carillon/v1/messages?channel-arn=${unknown}`)).status, 403)
    assert.equal((await server.call('GET', '/carillon/v1/messages')).status, 400)
  })
})

/** So many messages of the owner after this one. */
async function copyMessage(channel: string, messageId: string, count: number): Promise<void> {
  await store.transaction(async (transaction) => {
    const owner = await transaction.get<{ user_id: number }>(
      'SELECT user_id FROM app_instance_user WHERE app_instance_user_arn = $1',
      people.owner,
    )
    const head = await transaction.get<{ channel_id: number; next_seq: number }>(
      'SELECT channel_id, next_seq FROM channel_head WHERE channel_arn = $1',
      channel,
    )
    await transaction.run(
      `WITH RECURSIVE copy (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM copy WHERE n + 1 < $1)
       INSERT INTO channel_message (channel_id, message_id, seq, revision, status, sender_id, sender_name, type, persistence,
         content, redacted, created_at, updated_at)
       SELECT channel_id, message_id || '-' || n, $2 + n, revision, status, $3, sender_name, type, persistence,
         content, redacted, created_at, updated_at
       FROM channel_message, copy WHERE channel_id = $4 AND message_id = $5`,
      count,
      head!.next_seq,
      owner!.user_id,
      head!.channel_id,
      messageId,
    )
    const text = 'UPDATE channel_head SET next_seq = next_seq + $2 WHERE channel_id = $1'
    await transaction.run(text, head!.channel_id, count)
  })
}
