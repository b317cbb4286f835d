import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { populate } from '../../support/population.ts'
import { assertRefused } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()

describe('DeleteChannel', () => {
  test('notifies the members, and then no user finds the channel', async () => {
    const population = await populate(server)
    const { channelArn: ChannelArn, member, moderator } = population
    const session = await server.session(member)
    await server.messaging.deleteChannel({ ChannelArn, ChimeBearer: moderator })
    const event = await session.next()
    assert.equal(event.eventType, 'DELETE_CHANNEL')
    await assertRefused(server.messaging.describeChannel({ ChannelArn, ChimeBearer: member }), 'Forbidden')
    await assertRefused(server.messaging.listChannelMessages({ ChannelArn, ChimeBearer: member }), 'Forbidden')
  })

  test('drops what is in processing: its callback is Forbidden', async () => {
    const population = await populate(server)
    const { channelArn: ChannelArn, admin } = population
    await population.attachFlow(['first'])
    const event = await population.sendHeld()
    await server.messaging.deleteChannel({ ChannelArn, ChimeBearer: admin })
    await assertRefused(population.allow(event), 'Forbidden')
  })

  test('leaves nothing to a later channel with the same id, not even its members', async () => {
    const population = await populate(server)
    const { channelArn: channel, member, owner } = population
    const [AppInstanceArn = '', ChannelId = ''] = channel.split('/channel/')
    await population.send()
    const former = await server.session(member)
    await server.messaging.deleteChannel({ ChannelArn: channel, ChimeBearer: owner })
    assert.equal((await former.next()).eventType, 'DELETE_CHANNEL')
    const made = { AppInstanceArn, ChannelId, Name: 'again', ChimeBearer: owner, ClientRequestToken: 'again' }
    const { ChannelArn } = await server.messaging.createChannel(made)
    assert.equal(ChannelArn, channel)
    const message = { Content: 'only the owner hears this', Type: 'STANDARD', Persistence: 'PERSISTENT' } as const
    await server.messaging.sendChannelMessage({ ChannelArn, ChimeBearer: owner, ClientRequestToken: 'one', ...message })
    const { ChannelMessages } = await server.messaging.listChannelMessages({ ChannelArn, ChimeBearer: owner })
    assert.deepEqual(
      ChannelMessages?.map(({ Content }) => Content),
      ['only the owner hears this'],
    )
    // The next that the former member hears is of another channel: nothing came between.
    const other = {
      AppInstanceArn,
      Name: 'other',
      ChimeBearer: owner,
      MemberArns: [member],
      ClientRequestToken: 'other',
    }
    await server.messaging.createChannel(other)
    assert.match((await former.next()).eventType, /^CREATE_CHANNEL_MEMBERSHIP$/)
  })

  test('is rejected to members and strangers', async () => {
    const { channelArn: ChannelArn, member, stranger } = await populate(server)
    for (const ChimeBearer of [member, stranger]) {
      await assertRefused(server.messaging.deleteChannel({ ChannelArn, ChimeBearer }), 'Forbidden')
    }
  })
})
