import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { populate } from '../../support/population.ts'
import { assertRefused, noAccess } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const people = await populate(server, { Privacy: 'PUBLIC' })
const list = (ChimeBearer = people.owner, ChannelArn = people.channelArn) =>
  server.messaging.listChannelBans({ ChannelArn, ChimeBearer })

suite('ListChannelBans', () => {
  test('returns only the users that are banned from this channel, in the order of creation', async () => {
    const { channelArn: ChannelArn, owner: ChimeBearer } = people
    assert.deepEqual((await list()).ChannelBans, [])
    for (const MemberArn of [people.stranger, people.member, people.hidden]) {
      await server.messaging.createChannelBan({ ChannelArn, MemberArn, ChimeBearer })
    }
    await server.messaging.deleteChannelBan({ ChannelArn, MemberArn: people.hidden, ChimeBearer })
    const { $metadata, ...answer } = await list(people.moderator)
    assert.deepEqual(answer, {
      ChannelArn,
      ChannelBans: [
        { Member: { Arn: people.member, Name: 'member' } },
        { Member: { Arn: people.stranger, Name: 'stranger' } },
      ],
    })
    assert.deepEqual((await list(people.owner, await people.createChannel())).ChannelBans, [])
  })

  test('leaves nothing to a channel that is created again', async () => {
    const ChannelId = 'again'
    const ChannelArn = await people.createChannel({ ChannelId })
    const { stranger: MemberArn, owner: ChimeBearer } = people
    await server.messaging.createChannelBan({ ChannelArn, MemberArn, ChimeBearer })
    await server.messaging.deleteChannel({ ChannelArn, ChimeBearer })
    assert.deepEqual((await list(ChimeBearer, await people.createChannel({ ChannelId }))).ChannelBans, [])
  })

  test('is for moderators and admins, even where the channel is PUBLIC', async () => {
    for (const bearer of [people.member, people.hidden, people.stranger]) {
      await assertRefused(list(bearer), 'Forbidden', noAccess)
    }
  })
})
