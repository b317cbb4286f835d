import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { eventKinds } from '../../src/api/events/index.ts'
import type { Envelope } from '../../src/bus/bus.ts'
import { envelope, requireKind } from '../../src/events/publisher.ts'
import { StoredChannelLog } from '../../src/events/stored-channel-log.ts'
import type { ChannelEvent } from '../../src/store/channel-event.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { populate } from '../support/population.ts'
import { startTestServer } from '../support/running-server.ts'
import { SteeredStore } from '../support/steered-store.ts'

const clock = new ManualClock(Date.now())
const store = new SteeredStore()
const server = await startTestServer({ clock, aroundStore: store.around })
const told: ChannelEvent[] = []
store.onCommit(({ events }) => told.push(...events))

const everything = { after: 0, through: undefined }
const channelLog = () => new StoredChannelLog(store.read, eventKinds)

/** A channel, what was told of it at the time, and what its log tells now. */
async function open({ withFlow = false } = {}) {
  const people = await populate(server)
  if (withFlow) await people.attachFlow(['first'])
  const ofChannel = () => told.filter(({ channelArn }) => channelArn === people.channelArn)
  return {
    people,
    live: () => ofChannel().map((event) => envelope(requireKind(eventKinds, event.eventType), event)),
    past: async () => (await channelLog().read(people.channelArn, everything))!.envelopes,
  }
}

interface Told {
  eventType: string
  messageType: string
  payload: { Content?: string; Status?: { Value: string; Detail?: string }; [member: string]: unknown }
}

function contents({ frame }: Envelope): Told {
  const { Headers, Payload } = JSON.parse(frame)
  return {
    eventType: Headers['x-amz-chime-event-type'],
    messageType: Headers['x-amz-chime-message-type'],
    payload: JSON.parse(Payload),
  }
}

/** Of the events about messages: type, status and text. */
const summary = (envelopes: Envelope[]): string[] =>
  envelopes
    .map(contents)
    .filter(({ eventType }) => eventType.endsWith('CHANNEL_MESSAGE'))
    .map(({ eventType, payload: { Status, Content } }) => `${eventType} ${Status?.Value} ${Content}`)

const lastOf = (envelopes: Envelope[]) => envelopes.at(-1)!

suite('an event that is read back at once is the one that was told', () => {
  test('of members who joined, seen or hidden', async () => {
    const { live, past } = await open()
    assert.deepEqual(
      live().map((event) => contents(event).eventType),
      Array(live().length).fill('CREATE_CHANNEL_MEMBERSHIP'),
    )
    assert.ok(live().length >= 3)
    assert.ok(live().every(({ joins }) => joins?.length === 1))
    assert.deepEqual(await past(), live())
  })

  test('of a message, its update, and the channel', async () => {
    const { people, live, past } = await open()
    const { MessageId } = await people.send({ Content: 'hello \0 \ud83d', Metadata: 'm' })
    assert.deepEqual(lastOf(await past()), lastOf(live()))
    await people.update(MessageId)
    assert.deepEqual(lastOf(await past()), lastOf(live()))
    await people.send({ Type: 'CONTROL', Target: [{ MemberArn: people.owner }] })
    assert.deepEqual(lastOf(await past()), lastOf(live()))
    const change = {
      ChannelArn: people.channelArn,
      ChimeBearer: people.owner,
      Name: 'Attic',
      Mode: 'RESTRICTED' as const,
    }
    await server.messaging.updateChannel(change)
    assert.deepEqual(lastOf(await past()), lastOf(live()))
  })

  test('of a message in a flow and of its update, held and released', async () => {
    const { people, live, past } = await open({ withFlow: true })
    const held = await people.sendHeld()
    assert.deepEqual(lastOf(await past()), lastOf(live()))
    clock.advance(1_000)
    await people.allow(held, { Content: 'changed' })
    assert.deepEqual(lastOf(await past()), lastOf(live()))
    const update = await people.updateHeld(held.ChannelMessage.MessageId)
    assert.deepEqual(lastOf(await past()), lastOf(live()))
    clock.advance(1_000)
    await people.allow(update)
    assert.deepEqual(lastOf(await past()), lastOf(live()))
    assert.deepEqual(summary([lastOf(live())]), ['UPDATE_CHANNEL_MESSAGE SENT edited'])
  })

  test('of a message that is redacted', async () => {
    const { people, live, past } = await open()
    const { MessageId } = await people.send()
    await people.redact(MessageId)
    assert.deepEqual(contents(lastOf(await past())), contents(lastOf(live())))
  })
})

suite('a text that is not released', () => {
  test('is told to its sender alone while a flow holds it', async () => {
    const { people, past } = await open({ withFlow: true })
    await people.sendHeld({ Content: 'unreleased' })
    for (const event of await past()) {
      if (!event.frame.includes('unreleased')) continue
      assert.deepEqual(event.audience, { to: 'users', users: [people.member] })
    }
    assert.deepEqual(summary(await past()), ['PENDING_CREATE_CHANNEL_MESSAGE PENDING unreleased'])
  })

  test('of an update leaves what members are told as it was', async () => {
    const { people, past } = await open({ withFlow: true })
    const held = await people.sendHeld({ Content: 'released' })
    await people.allow(held)
    const update = await people.updateHeld(held.ChannelMessage.MessageId, { Content: 'unreleased' })
    const pending = 'PENDING_CREATE_CHANNEL_MESSAGE PENDING released'
    const sent = 'CREATE_CHANNEL_MESSAGE SENT released'
    assert.deepEqual(summary(await past()), [pending, sent, 'PENDING_UPDATE_CHANNEL_MESSAGE PENDING unreleased'])
    await people.deny(update)
    assert.deepEqual(summary(await past()), [
      pending,
      sent,
      'PENDING_UPDATE_CHANNEL_MESSAGE PENDING undefined',
      'DENIED_UPDATE_CHANNEL_MESSAGE DENIED undefined',
    ])
  })

  test('is nowhere when it was denied, and what is known is told to the same people', async () => {
    const { people, live, past } = await open({ withFlow: true })
    const held = await people.sendHeld({ Content: 'unreleased' })
    clock.advance(5_000)
    await people.deny(held)
    assert.deepEqual(summary(await past()), [
      'PENDING_CREATE_CHANNEL_MESSAGE PENDING undefined',
      'DENIED_CREATE_CHANNEL_MESSAGE DENIED undefined',
    ])
    const [then, now] = [lastOf(live()), lastOf(await past())]
    assert.deepEqual([now.seq, now.audience], [then.seq, then.audience])
    const { eventType, messageType, payload } = contents(then)
    const { ChannelArn, MessageId, CreatedTimestamp, LastUpdatedTimestamp, Status } = payload
    assert.deepEqual(contents(now), {
      eventType,
      messageType,
      payload: { ChannelArn, MessageId, CreatedTimestamp, LastUpdatedTimestamp, Status },
    })
  })

  test('is gone from all that was told when the message is redacted', async () => {
    const { people, past } = await open()
    const { MessageId } = await people.send({ Content: 'regretted' })
    await people.update(MessageId, { Content: 'regretted, too' })
    await people.redact(MessageId)
    assert.deepEqual(summary(await past()), [
      'CREATE_CHANNEL_MESSAGE SENT undefined',
      'UPDATE_CHANNEL_MESSAGE SENT undefined',
      'REDACT_CHANNEL_MESSAGE SENT undefined',
    ])
  })

  test('fails with the reason that the sender was told, until a newer one takes its place', async () => {
    const { people, past, live } = await open({ withFlow: true })
    const held = await people.sendHeld({ Content: 'released' })
    await people.allow(held)
    await people.updateHeld(held.ChannelMessage.MessageId, { Content: 'unreleased' })
    await people.redact(held.ChannelMessage.MessageId)
    const failed = (envelopes: Envelope[]) =>
      envelopes.map(contents).find(({ eventType }) => eventType === 'FAILED_UPDATE_CHANNEL_MESSAGE')!
    assert.deepEqual(failed(live()).payload.Status, { Value: 'FAILED', Detail: 'The message was redacted' })
    assert.deepEqual(failed(await past()).payload.Status, { Value: 'FAILED' })
    assert.equal(failed(await past()).payload.Content, undefined)
  })
})

test('a message that is gone is told of without its text: deleted, or never kept', async () => {
  const { people, past } = await open({ withFlow: true })
  const kept = await people.sendHeld({ Content: 'deleted' })
  await people.allow(kept)
  await people.delete(kept.ChannelMessage.MessageId)
  const passing = await people.sendHeld({ Content: 'typing', Persistence: 'NON_PERSISTENT' })
  await people.allow(passing)
  assert.deepEqual(summary(await past()), [
    'PENDING_CREATE_CHANNEL_MESSAGE PENDING undefined',
    'CREATE_CHANNEL_MESSAGE SENT undefined',
    'DELETE_CHANNEL_MESSAGE SENT undefined',
    'PENDING_CREATE_CHANNEL_MESSAGE PENDING undefined',
    'CREATE_CHANNEL_MESSAGE SENT undefined',
  ])
  assert.deepEqual(lastOf(await past()).audience, { to: 'members' })
})

suite('the log', () => {
  test('is read by the page', async () => {
    const { people, live } = await open()
    for (let message = 0; message < 130; message += 1) await people.send({ Content: `${message}` })
    const first = (await channelLog().read(people.channelArn, everything))!
    assert.deepEqual([first.envelopes.length, first.through, first.more], [100, 100, true])
    const last = live().length
    const second = (await channelLog().read(people.channelArn, { after: 100, through: undefined }))!
    assert.deepEqual([second.envelopes.length, second.through, second.more], [last - 100, last, false])
    assert.deepEqual([...first.envelopes, ...second.envelopes], live())
    const part = (await channelLog().read(people.channelArn, { after: 10, through: 12 }))!
    assert.deepEqual(part, { envelopes: live().slice(10, 12), through: 12, more: false })
  })

  test('knows the latest number of many channels, and not of those that do not exist', async () => {
    const { people, live } = await open()
    const arns = [people.channelArn, ...Array.from({ length: 120 }, (_, index) => `${people.channelArn}-${index}`)]
    for (const channelArns of [arns, arns.toReversed()]) {
      assert.deepEqual(await channelLog().latest(channelArns), new Map([[people.channelArn, live().length]]))
    }
    assert.deepEqual(await channelLog().latest([]), new Map())
  })

  test('knows who is a member of what, and since which event', async () => {
    const { people, live } = await open()
    const memberships = await channelLog().memberships([people.member, people.stranger])
    assert.deepEqual(memberships, [{ userArn: people.member, channelArn: people.channelArn }])
    const { seq } = live().find(({ joins }) => joins?.includes(people.member))!
    assert.equal(await channelLog().joinedAt(people.member, people.channelArn), seq)
    assert.equal(await channelLog().joinedAt(people.stranger, people.channelArn), undefined)
  })

  test('of a deleted channel stays for a while, and then its head row stands for the last event', async () => {
    const { people, live } = await open()
    await people.send()
    const before = live().length
    await server.messaging.deleteChannel({ ChannelArn: people.channelArn, ChimeBearer: people.owner })
    const { frame: _, ...last } = lastOf(live())
    const read = async (after: number) => (await channelLog().read(people.channelArn, { after, through: undefined }))!
    const inPlace = await read(before)
    const whole = await read(0)
    assert.deepEqual([whole.envelopes.length, whole.through], [last.seq, last.seq])
    assert.deepEqual(await channelLog().memberships([people.member]), [])
    await store.write('DELETE FROM channel_log WHERE channel_id = (SELECT max(channel_id) FROM channel_head)')
    assert.deepEqual(await read(before), inPlace)
    assert.deepEqual(await read(1), inPlace)
    const [end] = inPlace.envelopes as [Envelope]
    assert.deepEqual(end, { ...last, frame: end.frame })
    assert.deepEqual(contents(end), {
      eventType: 'DELETE_CHANNEL',
      messageType: 'SYSTEM',
      payload: { ChannelArn: people.channelArn },
    })
    assert.deepEqual(await read(last.seq!), { envelopes: [], through: last.seq, more: false })
  })

  test('that does not go as far as was heard belongs to another channel', async () => {
    const { people, live } = await open()
    const last = live().length
    assert.equal(await channelLog().read(people.channelArn, { after: last, through: last + 1 }), undefined)
    assert.equal(await channelLog().read(people.channelArn, { after: last + 1, through: undefined }), undefined)
    assert.deepEqual(await channelLog().read(people.channelArn, { after: last, through: undefined }), {
      envelopes: [],
      through: last,
      more: false,
    })
  })
})
