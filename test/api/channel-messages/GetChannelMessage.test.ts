import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ManualClock } from '../../support/manual-clock.ts'
import { type Population, populate, type Role, roles } from '../../support/population.ts'
import { assertRefused, outcomeOf } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const clock = new ManualClock(Date.now())
const server = await startTestServer({ clock })
const people = await populate(server, { Privacy: 'PUBLIC' })

/** Who gets the message, the channel's owner aside. */
async function readersOf(population: Population, MessageId: string): Promise<Role[]> {
  const readers: Role[] = []
  for (const role of roles) {
    const outcome = await outcomeOf(population.read(MessageId, population[role]))
    if (outcome === 'accepted') readers.push(role)
    else assert.equal(outcome, 'NotFound', role)
  }
  return readers
}

suite('GetChannelMessage', () => {
  test('returns all members that were sent, the sender, and the times', async () => {
    const sent = {
      Content: 'ding 🔔',
      Metadata: '{"a":1}',
      ContentType: 'text/plain',
      MessageAttributes: { mention: { StringValues: ['Bob', 'Ann'] } },
      Target: [{ MemberArn: people.owner }],
    }
    const { MessageId } = await people.send(sent)
    const at = new Date(clock.now())
    assert.deepEqual(await people.read(MessageId), {
      ChannelArn: people.channelArn,
      MessageId,
      ...sent,
      Type: 'STANDARD',
      Persistence: 'PERSISTENT',
      CreatedTimestamp: at,
      LastUpdatedTimestamp: at,
      Sender: { Arn: people.member, Name: 'member' },
      Redacted: false,
      Status: { Value: 'SENT' },
    })
  })

  test('shows when a flow let the message pass', async () => {
    const held = await populate(server)
    await held.attachFlow(['first'])
    const event = await held.sendHeld()
    const sentAt = new Date(clock.now())
    clock.advance(250)
    await held.allow(event)
    const { CreatedTimestamp, LastUpdatedTimestamp } = await held.read(event.ChannelMessage.MessageId)
    assert.deepEqual([CreatedTimestamp, LastUpdatedTimestamp], [sentAt, new Date(clock.now())])
  })

  test('returns a held message only to its sender, and a released one to all', async () => {
    const held = await populate(server, { Privacy: 'PUBLIC' })
    await held.attachFlow(['first'])
    const event = await held.sendHeld()
    const { MessageId } = event.ChannelMessage
    assert.deepEqual(await readersOf(held, MessageId), ['member'])
    assert.deepEqual((await held.read(MessageId)).Status, { Value: 'PENDING' })
    await held.allow(event)
    assert.deepEqual(await readersOf(held, MessageId), roles)
  })

  test('returns a denied message to no user', async () => {
    const held = await populate(server, { Privacy: 'PUBLIC' })
    await held.attachFlow(['first'])
    const event = await held.sendHeld()
    await held.deny(event)
    assert.deepEqual(await readersOf(held, event.ChannelMessage.MessageId), [])
  })

  test('returns a targeted message only to its target and its sender', async () => {
    const { MessageId } = await people.send({ Target: [{ MemberArn: people.hidden }] })
    assert.deepEqual(await readersOf(people, MessageId!), ['member', 'hidden'])
  })

  test('returns no message without a row, no unknown one, and none of another channel', async () => {
    const { MessageId } = await people.send({ Persistence: 'NON_PERSISTENT' })
    await assertRefused(people.read(MessageId), 'NotFound', 'The message does not exist')
    await assertRefused(people.read('unknown'), 'NotFound')
    const elsewhere = await people.createChannel()
    const there = await people.send({ ChannelArn: elsewhere })
    await assertRefused(people.read(there.MessageId), 'NotFound')
  })

  test('rejects malformed ids and sub-channels as bad requests', async () => {
    await assertRefused(people.read('a.b'), 'BadRequest', /'messageId' .* pattern/)
    await assertRefused(people.read('m'.repeat(129)), 'BadRequest', /'messageId' .* less than or equal to 128/)
    await assertRefused(people.read('m'.repeat(128)), 'NotFound')
    const { channelArn: ChannelArn, member: ChimeBearer } = people
    const call = { ChannelArn, ChimeBearer, MessageId: 'm', SubChannelId: 's' }
    await assertRefused(server.messaging.getChannelMessage(call), 'BadRequest', /SubChannelId/)
  })
})
