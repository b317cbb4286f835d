import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { populate, roles } from '../../support/population.ts'
import { assertRefused, noAccess, outcomeOf } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'
import { SteeredStore } from '../../support/steered-store.ts'

const store = new SteeredStore()
const server = await startTestServer({ aroundStore: store.around })
const people = await populate(server)
const held = await populate(server)
await held.attachFlow(['first'])

suite('DeleteChannelMessage', () => {
  test('deletes a message for all users', async () => {
    const quiet = await populate(server)
    const { MessageId } = await quiet.send({ Content: 'gone' })
    await quiet.send({ Content: 'stays' })
    const { $metadata } = await quiet.delete(MessageId)
    assert.equal($metadata.httpStatusCode, 204)
    for (const reader of [quiet.member, quiet.owner, quiet.admin]) {
      await assertRefused(quiet.read(MessageId, reader), 'NotFound')
      assert.deepEqual(await quiet.history(reader), ['stays'])
    }
    await assertRefused(quiet.status(MessageId), 'Forbidden', noAccess)
    await assertRefused(quiet.update(MessageId), 'Forbidden', noAccess)
    await assertRefused(quiet.delete(MessageId), 'Forbidden', noAccess)
  })

  test('notifies every member, without any text', async () => {
    const sessions = [await server.session(people.member), await server.session(people.hidden)]
    const { MessageId } = await people.send({ Metadata: 'secret', ContentType: 'text/plain' })
    await people.delete(MessageId)
    for (const session of sessions) {
      await session.next()
      const { eventType, payload } = await session.next()
      assert.equal(eventType, 'DELETE_CHANNEL_MESSAGE')
      const { MessageId: told, Redacted, Status, ...rest } = payload as Record<string, unknown>
      assert.deepEqual([told, Redacted, Status], [MessageId, false, { Value: 'SENT' }])
      const members = ['ChannelArn', 'CreatedTimestamp', 'LastUpdatedTimestamp', 'Persistence', 'Sender', 'Type']
      assert.deepEqual(Object.keys(rest).sort(), members)
    }
  })

  test('deletes a targeted message that the admin cannot read, and only notifies its target and its sender', async () => {
    const { member, hidden, owner } = people
    const sessions = [await server.session(member), await server.session(hidden), await server.session(owner)]
    const { MessageId } = await people.send({ Target: [{ MemberArn: hidden }] })
    await assertRefused(people.read(MessageId, people.admin), 'NotFound')
    await people.delete(MessageId)
    await people.send({ Type: 'CONTROL' })
    const told = await Promise.all(sessions.map((session, index) => session.eventTypes(index === 2 ? 1 : 3)))
    const all = ['CREATE_CHANNEL_MESSAGE', 'DELETE_CHANNEL_MESSAGE', 'CREATE_CHANNEL_MESSAGE']
    assert.deepEqual(told, [all, all, ['CREATE_CHANNEL_MESSAGE']])
  })

  test('takes a redacted message, and one that has been through a flow', async () => {
    const { MessageId } = await people.send()
    await people.redact(MessageId)
    await people.delete(MessageId)
    await assertRefused(people.read(MessageId), 'NotFound')
    const event = await held.sendHeld()
    await held.allow(event)
    await held.delete(event.ChannelMessage.MessageId)
    await assertRefused(held.read(event.ChannelMessage.MessageId), 'NotFound')
  })

  test('does not free the ClientRequestToken: the message was sent, and is not sent again', async () => {
    for (const population of [people, held]) {
      const message = { ClientRequestToken: 'deleted' }
      const { MessageId, Status } = await population.send(message)
      if (Status?.Value === 'PENDING') await population.allow(await server.processors.next(MessageId))
      await population.delete(MessageId)
      const again = await population.send(message)
      assert.deepEqual([again.MessageId, again.Status], [MessageId, { Value: 'SENT' }])
      await assertRefused(population.read(MessageId), 'NotFound')
    }
  })
})

suite('DeleteChannelMessage rejects', () => {
  test('everybody but admins, the sender and the moderators among them', async () => {
    const { MessageId } = await people.send()
    for (const bearer of [people.owner, ...roles.filter((role) => role !== 'admin').map((role) => people[role])]) {
      await assertRefused(people.delete(MessageId, bearer), 'Forbidden', noAccess)
    }
    assert.equal((await people.read(MessageId)).Content, 'hello')
  })

  test('an admin of another AppInstance', async () => {
    const { MessageId } = await people.send()
    await assertRefused(people.delete(MessageId, held.admin), 'Forbidden', noAccess)
  })

  test('a message that is not sent, or not there', async () => {
    const failing = await populate(server)
    await failing.attachFlow(['not-there'])
    const session = await server.session(failing.member)
    const { MessageId: failed } = await failing.send()
    await session.eventTypes(2)
    await assertRefused(failing.delete(failed), 'Forbidden', noAccess)
    const pending = await held.sendHeld()
    await assertRefused(held.delete(pending.ChannelMessage.MessageId), 'Forbidden', noAccess)
    await held.deny(pending)
    await assertRefused(held.delete(pending.ChannelMessage.MessageId), 'Forbidden', noAccess)
    const { MessageId: transient } = await people.send({ Persistence: 'NON_PERSISTENT' })
    const { MessageId: elsewhere } = await people.send({ ChannelArn: await people.createChannel() })
    for (const id of ['unknown', transient, elsewhere]) await assertRefused(people.delete(id), 'Forbidden', noAccess)
  })

  test('malformed ids and sub-channels as bad requests', async () => {
    const call = { ChannelArn: people.channelArn, ChimeBearer: people.admin, MessageId: 'm' }
    await assertRefused(people.delete('a.b'), 'BadRequest', /'messageId' .* pattern/)
    const inSubChannel = server.messaging.deleteChannelMessage({ ...call, SubChannelId: 's' })
    await assertRefused(inSubChannel, 'BadRequest', /SubChannelId/)
  })
})

suite('DeleteChannelMessage while a flow holds an update', () => {
  async function updating() {
    const created = await held.sendHeld()
    await held.allow(created)
    const { MessageId } = created.ChannelMessage
    return { MessageId, event: await held.updateHeld(MessageId, { Metadata: 'n' }) }
  }

  test('ends it', async () => {
    const { MessageId, event } = await updating()
    const [sender, other] = [await server.session(held.member), await server.session(held.owner)]
    await held.delete(MessageId)
    const { eventType, payload } = await sender.next()
    const { Content, Metadata, Status } = payload as Record<string, unknown>
    assert.deepEqual([eventType, Content, Metadata], ['FAILED_UPDATE_CHANNEL_MESSAGE', 'edited', 'n'])
    assert.deepEqual(Status, { Value: 'FAILED', Detail: 'The message was deleted' })
    for (const session of [sender, other]) assert.deepEqual(await session.eventTypes(1), ['DELETE_CHANNEL_MESSAGE'])
    await assertRefused(held.allow(event), 'Forbidden', noAccess)
    await assertRefused(held.deny(event), 'Forbidden', noAccess)
    await assertRefused(held.read(MessageId), 'NotFound')
  })

  test('makes a later callback fail', async () => {
    const { MessageId, event } = await updating()
    const stopped = store.stop('DecideStep')
    const calling = outcomeOf(held.allow(event))
    const { pass } = await stopped
    await held.delete(MessageId)
    pass()
    assert.equal(await calling, 'Conflict')
    await assertRefused(held.read(MessageId), 'NotFound')
  })
})
