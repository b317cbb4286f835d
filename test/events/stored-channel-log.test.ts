import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { eventKinds } from '../../src/api/events/index.ts'
import type { Envelope } from '../../src/bus/bus.ts'
import { envelope, requireKind } from '../../src/events/publisher.ts'
import { StoredChannelLog } from '../../src/events/stored-channel-log.ts'
import type { ChannelEvent } from '../../src/store/channel-event.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { type Population, populate } from '../support/population.ts'
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
  const ref = { channelId: ofChannel()[0]!.channelId, channelArn: people.channelArn }
  return {
    people,
    ref,
    live: () => ofChannel().map((event) => envelope(requireKind(eventKinds, event.eventType), event)),
    past: async () => (await channelLog().read(ref, everything))!.envelopes,
  }
}

const leave = ({ channelArn, owner }: Population, MemberArn: string) =>
  server.messaging.deleteChannelMembership({ ChannelArn: channelArn, ChimeBearer: owner, MemberArn })

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

  test('of members who were added together', async () => {
    const { people, live, past } = await open()
    const MemberArns = [people.stranger, people.admin]
    await server.messaging.batchCreateChannelMembership({
      ChannelArn: people.channelArn,
      ChimeBearer: people.owner,
      MemberArns,
    })
    assert.deepEqual(lastOf(live()).joins, MemberArns)
    assert.deepEqual(lastOf(await past()), lastOf(live()))
    await leave(people, people.stranger)
    const { payload } = contents((await past()).at(-2)!)
    const { InvitedBy, Members, Type } = payload
    assert.deepEqual([InvitedBy, Type], [{ Arn: people.owner, Name: 'owner' }, 'DEFAULT'])
    assert.deepEqual(Members, [
      { Arn: people.stranger, Name: 'stranger' },
      { Arn: people.admin, Name: 'admin' },
    ])
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

test('a member who has left is told of by name, and so is the join before', async () => {
  const { people, live, past } = await open()
  await leave(people, people.member)
  assert.equal(lastOf(live()).leaves, people.member)
  const known = { ChannelArn: people.channelArn, Member: { Arn: people.member, Name: 'member' } }
  const { frame: _, ...rest } = lastOf(live())
  const { frame, ...again } = lastOf(await past())
  assert.deepEqual(again, rest)
  const eventType = 'DELETE_CHANNEL_MEMBERSHIP'
  assert.deepEqual(contents(lastOf(await past())), { eventType, messageType: 'SYSTEM', payload: known })
  assert.ok(frame.length > 0)
  const ChimeBearer = people.owner
  const call = { ChannelArn: people.channelArn, ChimeBearer, MemberArn: people.member, Type: 'DEFAULT' } as const
  await server.messaging.createChannelMembership(call)
  // Not the inviter and the times of the membership that there is now.
  const joins = (await past()).filter((event) => event.joins?.includes(people.member)).map(contents)
  assert.deepEqual(joins[0]!.payload, known)
  assert.ok('InvitedBy' in joins[1]!.payload)
  assert.deepEqual(lastOf(await past()), lastOf(live()))
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
    const { people, ref, live } = await open()
    for (let message = 0; message < 130; message += 1) await people.send({ Content: `${message}` })
    const first = (await channelLog().read(ref, everything))!
    assert.deepEqual([first.envelopes.length, first.through, first.more], [100, 100, true])
    const last = live().length
    const second = (await channelLog().read(ref, { after: 100, through: undefined }))!
    assert.deepEqual([second.envelopes.length, second.through, second.more], [last - 100, last, false])
    assert.deepEqual([...first.envelopes, ...second.envelopes], live())
    const part = (await channelLog().read(ref, { after: 10, through: 12 }))!
    assert.deepEqual(part, { envelopes: live().slice(10, 12), through: 12, more: false, isEnd: false })
  })

  test('knows the latest number of many channels, and not of those that do not exist', async () => {
    const { ref, live } = await open()
    const ids = [ref.channelId, ...Array.from({ length: 220 }, (_, index) => 1_000_000 + index)]
    const latest = new Map([[ref.channelId, { seq: live().length, isDeleted: false }]])
    for (const channelIds of [ids, ids.toReversed()]) assert.deepEqual(await channelLog().latest(channelIds), latest)
    assert.deepEqual(await channelLog().latest([]), new Map())
  })

  test('knows of what a user is a member, since which event, and how far the log goes', async () => {
    const { people, ref, live } = await open()
    const { seq: joinedSeq } = live().find(({ joins }) => joins?.includes(people.member))!
    const membership = { ...ref, joinedSeq, latest: live().length }
    const page = { memberships: [membership], more: false }
    assert.deepEqual(await channelLog().memberships(people.member, 0), page)
    assert.deepEqual(await channelLog().memberships(people.member, ref.channelId - 1, ref.channelId), page)
    const none = { memberships: [], more: false }
    assert.deepEqual(await channelLog().memberships(people.member, ref.channelId), none)
    assert.deepEqual(await channelLog().memberships(people.member, 0, ref.channelId - 1), none)
    for (const userArn of [people.stranger, people.user('nobody')]) {
      assert.deepEqual(await channelLog().memberships(userArn, 0), none)
    }
    await leave(people, people.member)
    assert.deepEqual(await channelLog().memberships(people.member, 0), none)
  })

  test('gives a user with many channels a page at a time', async () => {
    const { people } = await open()
    await store.transaction(async (transaction) => {
      await transaction.run(
        `INSERT INTO channel_head (channel_arn, next_seq, last_created_at, members)
         WITH RECURSIVE more (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more WHERE n < 1200)
         SELECT 'many ' || n, n + 1, 0, 1 FROM more`,
      )
      await transaction.run(
        `INSERT INTO channel_membership
           (channel_id, member_id, type, invited_by_arn, invited_by_name, joined_seq, created_at, updated_at)
         SELECT channel_id, user_id, 'DEFAULT', '', '', 1, 0, 0 FROM channel_head, app_instance_user
         WHERE channel_arn LIKE 'many %' AND app_instance_user_arn = $1`,
        people.stranger,
      )
    })
    const pages = [await channelLog().memberships(people.stranger, 0)]
    while (pages.at(-1)!.more) {
      const after = pages.at(-1)!.memberships.at(-1)!.channelId
      pages.push(await channelLog().memberships(people.stranger, after))
    }
    assert.deepEqual(
      pages.map(({ memberships }) => memberships.length),
      [250, 250, 250, 250, 200],
    )
    const all = pages.flatMap(({ memberships }) => memberships)
    assert.deepEqual(new Set(all.map(({ latest }) => latest)).size, 1200)
    assert.ok(all.every(({ channelArn, latest }) => channelArn === `many ${latest}`))
  })

  test('of a deleted channel ends with the event that says so', async () => {
    const { people, ref, live } = await open()
    await server.messaging.deleteChannel({ ChannelArn: people.channelArn, ChimeBearer: people.owner })
    const last = live().length
    const page = (await channelLog().read(ref, everything))!
    const end = lastOf(page.envelopes)
    const { frame: _, ...rest } = lastOf(live())
    assert.deepEqual([page.through, page.more, page.isEnd], [last, false, true])
    assert.deepEqual({ ...rest, frame: end.frame }, end)
    const { messageType } = contents(lastOf(live()))
    const { eventType, payload } = contents(end)
    assert.deepEqual([eventType, contents(end).messageType], ['DELETE_CHANNEL', messageType])
    assert.equal(payload.ChannelArn, people.channelArn)
    assert.deepEqual(
      await channelLog().latest([ref.channelId]),
      new Map([[ref.channelId, { seq: last, isDeleted: true }]]),
    )
    assert.deepEqual(await channelLog().memberships(people.member, 0), { memberships: [], more: false })
    await store.write('DELETE FROM channel_log WHERE channel_id = $1', ref.channelId)
    assert.deepEqual(await channelLog().read(ref, everything), {
      envelopes: [],
      through: last,
      more: false,
      isEnd: true,
    })
  })

  test('that does not go as far as was heard is not the log of this channel', async () => {
    const { ref, live } = await open()
    const last = live().length
    assert.equal(await channelLog().read(ref, { after: last + 1, through: undefined }), undefined)
    assert.equal(await channelLog().read({ ...ref, channelId: 1_000_000 }, everything), undefined)
    const nothing = { envelopes: [], through: last, more: false, isEnd: false }
    assert.deepEqual(await channelLog().read(ref, { after: last, through: undefined }), nothing)
    assert.deepEqual(await channelLog().read(ref, { after: last, through: last + 1 }), nothing)
  })

  test('says that an event is of a kind that it does not know, and not more', async () => {
    const { ref, live } = await open()
    const seq = live().length + 1
    await store.transaction(async (transaction) => {
      const { channelId: channel_id } = ref
      await transaction.run('UPDATE channel_head SET next_seq = $1 WHERE channel_id = $2', seq + 1, channel_id)
      const event = { event_type: 'TWIST_CHANNEL', audience_json: '{"to":"members"}', subject: '', revision: 0 }
      await transaction.insert('channel_log', { channel_id, seq, ...event, created_at: 0 })
    })
    const { envelopes } = (await channelLog().read(ref, { after: seq - 1, through: undefined }))!
    const unknown = { audience: { to: 'users', users: [] }, isUnknown: true, frame: '' }
    assert.deepEqual(envelopes, [{ ...ref, seq, ...unknown }])
  })
})

test('what the log has no event for any more is told all the same: a channel is gone, a user has left', () => {
  const ref = { channelId: 1, channelArn: 'C' }
  const end = channelLog().endOf(ref)
  assert.deepEqual([end.seq, end.audience, end.closes], [undefined, { to: 'members' }, true])
  assert.deepEqual(contents(end), { eventType: 'DELETE_CHANNEL', messageType: 'SYSTEM', payload: { ChannelArn: 'C' } })
  const left = channelLog().leaveOf(ref, 'ann')
  assert.deepEqual([left.seq, left.audience, left.leaves], [undefined, { to: 'users', users: ['ann'] }, 'ann'])
  assert.deepEqual(contents(left), {
    eventType: 'DELETE_CHANNEL_MEMBERSHIP',
    messageType: 'SYSTEM',
    payload: { ChannelArn: 'C', Member: { Arn: 'ann' } },
  })
})
