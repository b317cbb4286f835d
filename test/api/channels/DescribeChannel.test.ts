import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ManualClock } from '../../support/manual-clock.ts'
import { type Population, populate } from '../../support/population.ts'
import { startTestServer } from '../../support/running-server.ts'

const clock = new ManualClock(Date.now())
const server = await startTestServer({ clock })
const describe = async ({ channelArn: ChannelArn, owner: ChimeBearer }: Population) =>
  (await server.messaging.describeChannel({ ChannelArn, ChimeBearer })).Channel!

suite('DescribeChannel', () => {
  test('returns what the channel was created with, by whom, and when', async () => {
    const created = { Name: 'Tower 🔔', Metadata: 'line\nbreak', Mode: 'UNRESTRICTED', Privacy: 'PUBLIC' } as const
    const people = await populate(server, created)
    const at = new Date(clock.now())
    clock.advance(1)
    assert.deepEqual(await describe(people), {
      ChannelArn: people.channelArn,
      ...created,
      CreatedBy: { Arn: people.owner, Name: 'owner' },
      CreatedTimestamp: at,
      LastUpdatedTimestamp: at,
    })
  })

  test('tells when the last message was sent', async () => {
    const people = await populate(server)
    clock.advance(5)
    await people.send()
    assert.deepEqual((await describe(people)).LastMessageTimestamp, new Date(clock.now()))
  })

  test('counts no message that leaves no row, and none that a flow holds', async () => {
    const people = await populate(server)
    await people.send({ Persistence: 'NON_PERSISTENT' })
    await people.attachFlow(['first'])
    const event = await people.sendHeld()
    const sentAt = new Date(clock.now())
    assert.equal((await describe(people)).LastMessageTimestamp, undefined)
    clock.advance(7)
    await people.allow(event)
    assert.deepEqual((await describe(people)).LastMessageTimestamp, sentAt)
  })

  test('names the channel flow as long as there is one', async () => {
    const people = await populate(server)
    assert.equal('ChannelFlowArn' in (await describe(people)), false)
    const ChannelFlowArn = await people.attachFlow(['first'])
    assert.equal((await describe(people)).ChannelFlowArn, ChannelFlowArn)
    const { channelArn: ChannelArn, owner: ChimeBearer } = people
    await server.messaging.disassociateChannelFlow({ ChannelArn, ChannelFlowArn, ChimeBearer })
    assert.equal('ChannelFlowArn' in (await describe(people)), false)
  })
})
