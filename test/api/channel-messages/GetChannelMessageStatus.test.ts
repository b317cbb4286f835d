import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { populate, roles } from '../../support/population.ts'
import { assertRefused, noAccess } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const people = await populate(server, { Privacy: 'PUBLIC' })
const held = await populate(server, { Privacy: 'PUBLIC' })
await held.attachFlow(['first'])

const statusOf = async (MessageId: string, ChimeBearer = people.member, { channelArn: ChannelArn } = people) =>
  (await server.messaging.getChannelMessageStatus({ ChannelArn, MessageId, ChimeBearer })).Status

suite('GetChannelMessageStatus', () => {
  test("returns the Value alone, of one's own message", async () => {
    const { MessageId } = await people.send()
    assert.deepEqual(await statusOf(MessageId!), { Value: 'SENT' })
  })

  test('follows a message into its flow and out of it', async () => {
    const event = await held.sendHeld()
    const { MessageId } = event.ChannelMessage
    assert.deepEqual(await statusOf(MessageId, held.member, held), { Value: 'PENDING' })
    await held.allow(event)
    assert.deepEqual(await statusOf(MessageId, held.member, held), { Value: 'SENT' })
  })

  test('returns the reason of a FAILED message', async () => {
    const broken = await populate(server)
    await broken.attachFlow(['not-there'])
    const session = await server.session(broken.member)
    const { MessageId } = await broken.send()
    await session.eventTypes(2)
    const status = await statusOf(MessageId!, broken.member, broken)
    assert.deepEqual(status, { Value: 'FAILED', Detail: 'Processor invocation failed: not-there' })
  })

  test('returns nothing of a denied message', async () => {
    const event = await held.sendHeld()
    await held.deny(event)
    await assertRefused(statusOf(event.ChannelMessage.MessageId, held.member, held), 'Forbidden', noAccess)
  })

  test("tells nobody of somebody else's message, held or sent, nor of an unknown one", async () => {
    const event = await held.sendHeld({ ChimeBearer: held.owner })
    const { MessageId } = await held.send({ ChimeBearer: held.owner, Type: 'CONTROL' })
    for (const role of roles) {
      for (const message of [event.ChannelMessage.MessageId, MessageId!, 'unknown']) {
        await assertRefused(statusOf(message, held[role], held), 'Forbidden', noAccess)
      }
    }
  })

  test('rejects sub-channels and malformed ids as bad requests', async () => {
    const { channelArn: ChannelArn, member: ChimeBearer } = people
    const call = { ChannelArn, ChimeBearer, MessageId: 'm' }
    const { messaging } = server
    await assertRefused(messaging.getChannelMessageStatus({ ...call, SubChannelId: 's' }), 'BadRequest', /SubChannelId/)
    await assertRefused(messaging.getChannelMessageStatus({ ...call, MessageId: 'm.' }), 'BadRequest', /'messageId'/)
  })
})
