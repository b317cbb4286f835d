import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ManualClock } from '../../support/manual-clock.ts'
import { populate } from '../../support/population.ts'
import { assertRefused, noAccess, outcomeOf } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'
import { SteeredStore } from '../../support/steered-store.ts'

const clock = new ManualClock(Date.now())
const store = new SteeredStore()
const server = await startTestServer({ clock, aroundStore: store.around })
const people = await populate(server)
const held = await populate(server)
await held.attachFlow(['first'])

const full = {
  Content: 'secret',
  Metadata: 'secret',
  ContentType: 'text/plain',
  MessageAttributes: { a: { StringValues: ['secret'] } },
}

suite('RedactChannelMessage', () => {
  for (const role of ['member', 'moderator', 'admin'] as const) {
    test(`lets ${role === 'member' ? 'the sender' : `a ${role}`} empty a message`, async () => {
      const { MessageId } = await people.send(full)
      const sentAt = new Date(clock.now())
      clock.advance(100)
      const { ChannelArn, MessageId: redacted } = await people.redact(MessageId, people[role])
      assert.deepEqual([ChannelArn, redacted], [people.channelArn, MessageId])
      for (const reader of [people.member, people.hidden]) {
        assert.deepEqual(await people.read(MessageId, reader), {
          ChannelArn,
          MessageId,
          Content: '',
          Type: 'STANDARD',
          Persistence: 'PERSISTENT',
          Sender: { Arn: people.member, Name: 'member' },
          Redacted: true,
          Status: { Value: 'SENT' },
          CreatedTimestamp: sentAt,
          LastUpdatedTimestamp: new Date(clock.now()),
        })
      }
    })
  }

  test('notifies every member, without any text', async () => {
    const sessions = [await server.session(people.member), await server.session(people.hidden)]
    const { MessageId } = await people.send(full)
    await people.redact(MessageId)
    for (const session of sessions) {
      await session.next()
      const { eventType, payload } = await session.next()
      assert.equal(eventType, 'REDACT_CHANNEL_MESSAGE')
      const { Redacted, Status, MessageId: told, ...rest } = payload as Record<string, unknown>
      assert.deepEqual([told, Redacted, Status], [MessageId, true, { Value: 'SENT' }])
      const members = ['ChannelArn', 'CreatedTimestamp', 'LastUpdatedTimestamp', 'Persistence', 'Sender', 'Type']
      assert.deepEqual(Object.keys(rest).sort(), members)
    }
  })

  test('leaves the message in the history, empty, and when it was edited last', async () => {
    const quiet = await populate(server)
    const { MessageId } = await quiet.send(full)
    await quiet.send({ Content: 'next' })
    await quiet.update(MessageId)
    const editedAt = new Date(clock.now())
    clock.advance(100)
    await quiet.redact(MessageId)
    assert.deepEqual(await quiet.history(quiet.owner), ['', 'next'])
    assert.deepEqual((await quiet.read(MessageId)).LastEditedTimestamp, editedAt)
  })

  test('does nothing more the second time', async () => {
    const session = await server.session(people.owner)
    const { MessageId } = await people.send(full)
    await people.redact(MessageId)
    const first = await people.read(MessageId)
    clock.advance(100)
    await people.redact(MessageId, people.admin)
    assert.deepEqual(await people.read(MessageId), first)
    await people.send({ Type: 'CONTROL' })
    const told = ['CREATE_CHANNEL_MESSAGE', 'REDACT_CHANNEL_MESSAGE', 'CREATE_CHANNEL_MESSAGE']
    assert.deepEqual(await session.eventTypes(3), told)
  })

  test('does not meet a flow', async () => {
    const event = await held.sendHeld()
    await held.allow(event)
    const { MessageId } = event.ChannelMessage
    await held.redact(MessageId)
    assert.equal((await held.read(MessageId, held.owner)).Redacted, true)
  })

  test('of a targeted message is for its sender, and for its target if that one moderates', async () => {
    const { member, owner, hidden, moderator, admin } = people
    const targeted = async (MemberArn: string) => (await people.send({ Target: [{ MemberArn }] })).MessageId
    const id = await targeted(hidden)
    for (const bearer of [hidden, owner, moderator, admin])
      await assertRefused(people.redact(id, bearer), 'Forbidden', noAccess)
    await people.redact(id, member)
    await people.redact(await targeted(owner), owner)
  })

  test('of a targeted message only notifies its target and its sender', async () => {
    const { member, hidden, owner } = people
    const sessions = [await server.session(member), await server.session(hidden), await server.session(owner)]
    const { MessageId } = await people.send({ Target: [{ MemberArn: hidden }] })
    await people.redact(MessageId)
    await people.send({ Type: 'CONTROL' })
    const told = await Promise.all(sessions.map((session, index) => session.eventTypes(index === 2 ? 1 : 3)))
    const all = ['CREATE_CHANNEL_MESSAGE', 'REDACT_CHANNEL_MESSAGE', 'CREATE_CHANNEL_MESSAGE']
    assert.deepEqual(told, [all, all, ['CREATE_CHANNEL_MESSAGE']])
  })
})

suite('RedactChannelMessage rejects', () => {
  test('everybody else', async () => {
    const { MessageId } = await people.send({ ...full, ChimeBearer: people.owner })
    for (const bearer of [people.member, people.hidden, people.stranger]) {
      await assertRefused(people.redact(MessageId, bearer), 'Forbidden', noAccess)
    }
    assert.equal((await people.read(MessageId)).Content, 'secret')
  })

  test('a message that is not there: unknown, in another channel, NON_PERSISTENT, denied, deleted', async () => {
    const { MessageId: transient } = await people.send({ Persistence: 'NON_PERSISTENT' })
    const { MessageId: deleted } = await people.send()
    await people.delete(deleted)
    const { MessageId: elsewhere } = await people.send({ ChannelArn: await people.createChannel() })
    for (const id of ['unknown', transient, deleted, elsewhere]) {
      for (const bearer of [people.member, people.admin])
        await assertRefused(people.redact(id, bearer), 'Forbidden', noAccess)
    }
    const denied = await held.sendHeld()
    await held.deny(denied)
    await assertRefused(held.redact(denied.ChannelMessage.MessageId), 'Forbidden', noAccess)
  })

  test('a message that is not sent, as a conflict to its sender and as unknown to all others', async () => {
    const failing = await populate(server)
    await failing.attachFlow(['not-there'])
    const session = await server.session(failing.member)
    const { MessageId } = await failing.send()
    await session.eventTypes(2)
    await assertRefused(failing.redact(MessageId), 'Conflict', 'A message that is FAILED cannot be redacted')
    const event = await held.sendHeld()
    const { MessageId: pending } = event.ChannelMessage
    await assertRefused(held.redact(pending), 'Conflict', 'A message that is PENDING cannot be redacted')
    for (const bearer of [held.owner, held.moderator, held.admin]) {
      await assertRefused(held.redact(pending, bearer), 'Forbidden', noAccess)
    }
    await held.allow(event)
  })

  test('malformed ids and sub-channels as bad requests', async () => {
    const call = { ChannelArn: people.channelArn, ChimeBearer: people.member, MessageId: 'm' }
    await assertRefused(people.redact('a.b'), 'BadRequest', /'messageId' .* pattern/)
    await assertRefused(people.redact('m'.repeat(129)), 'BadRequest', /'messageId' .* less than or equal to 128/)
    const inSubChannel = server.messaging.redactChannelMessage({ ...call, SubChannelId: 's' })
    await assertRefused(inSubChannel, 'BadRequest', /SubChannelId/)
  })
})

suite('RedactChannelMessage while a flow holds an update', () => {
  async function updating() {
    const created = await held.sendHeld(full)
    await held.allow(created)
    const { MessageId } = created.ChannelMessage
    return { MessageId, event: await held.updateHeld(MessageId, { Content: 'edited', Metadata: 'n' }) }
  }

  for (const role of ['member', 'moderator', 'admin'] as const) {
    test(`by the ${role === 'member' ? 'sender' : role} ends it`, async () => {
      const { MessageId, event } = await updating()
      const [sender, other] = [await server.session(held.member), await server.session(held.owner)]
      await held.redact(MessageId, held[role])
      const { eventType, payload } = await sender.next()
      const { Content, Metadata, Status } = payload as Record<string, unknown>
      assert.deepEqual([eventType, Content, Metadata], ['FAILED_UPDATE_CHANNEL_MESSAGE', 'edited', 'n'])
      assert.deepEqual(Status, { Value: 'FAILED', Detail: 'The message was redacted' })
      for (const session of [sender, other]) assert.deepEqual(await session.eventTypes(1), ['REDACT_CHANNEL_MESSAGE'])
      await assertRefused(held.allow(event), 'Forbidden', noAccess)
      await assertRefused(held.deny(event), 'Forbidden', noAccess)
      assert.equal(await held.status(MessageId), 'SENT')
      const { Content: after, Redacted, LastEditedTimestamp } = await held.read(MessageId)
      assert.deepEqual([after, Redacted, LastEditedTimestamp], ['', true, undefined])
      await assertRefused(held.update(MessageId), 'Conflict', 'A redacted message cannot be updated')
    })
  }

  test('makes a later callback fail', async () => {
    const { MessageId, event } = await updating()
    const stopped = store.stop('DecideStep')
    const calling = outcomeOf(held.allow(event))
    const { pass } = await stopped
    await held.redact(MessageId)
    pass()
    assert.equal(await calling, 'Conflict')
    assert.deepEqual((await held.read(MessageId)).Content, '')
  })

  test('survives a restart of the server, with its outcome', async () => {
    const { MessageId, event } = await updating()
    await held.redact(MessageId)
    await server.restart()
    await assertRefused(held.allow(event), 'Forbidden', noAccess)
    assert.equal((await held.read(MessageId)).Redacted, true)
  })
})
