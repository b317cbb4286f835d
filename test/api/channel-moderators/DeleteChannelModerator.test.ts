import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { populate } from '../../support/population.ts'
import { assertRefused, invalidUser, noAccess, outcomeOf } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const people = await populate(server)
const others = await populate(server)
const demote = (ChannelModeratorArn: string, ChannelArn = people.channelArn, ChimeBearer = people.owner) =>
  server.messaging.deleteChannelModerator({ ChannelArn, ChannelModeratorArn, ChimeBearer })

suite('DeleteChannelModerator', () => {
  test('takes the role, in this channel alone', async () => {
    const [here, elsewhere] = [await people.createChannel(), await people.createChannel()]
    const rename = (ChannelArn: string) =>
      server.messaging.updateChannel({ ChannelArn, ChimeBearer: people.moderator, Name: 'Tower' })
    await rename(here)
    const { $metadata } = await demote(people.moderator, here)
    assert.equal($metadata.httpStatusCode, 204)
    await assertRefused(rename(here), 'Forbidden', noAccess)
    await rename(elsewhere)
  })

  test('leaves the membership, and tells no session', async () => {
    const population = await populate(server)
    const { channelArn: ChannelArn, owner, admin: ChimeBearer, member } = population
    const sessions = [await server.session(owner), await server.session(member)]
    await server.messaging.deleteChannelModerator({ ChannelArn, ChannelModeratorArn: owner, ChimeBearer })
    await population.send({ ChimeBearer: owner })
    for (const session of sessions) assert.deepEqual(await session.eventTypes(1), ['CREATE_CHANNEL_MESSAGE'])
  })

  test('lets a moderator resign, also the last one', async () => {
    const ChannelArn = await people.createChannel({ ModeratorArns: [people.owner] })
    await demote(people.owner, ChannelArn)
    await assertRefused(demote(people.owner, ChannelArn), 'Forbidden', noAccess)
    await assertRefused(demote(people.owner, ChannelArn, people.admin), 'Forbidden', invalidUser)
  })

  test('rejects who is no moderator of the channel', async () => {
    const none = [people.member, people.admin, people.user('nobody'), others.moderator, people.channelArn]
    for (const arn of none) await assertRefused(demote(arn), 'Forbidden', invalidUser)
    await assertRefused(demote('ann'), 'BadRequest', /'channelModeratorArn'/)
  })

  test('takes one of five calls at once', async () => {
    const ChannelArn = await people.createChannel()
    const calls = Array.from({ length: 5 }, () => outcomeOf(demote(people.moderator, ChannelArn)))
    assert.deepEqual((await Promise.all(calls)).sort(), [...Array(4).fill('Forbidden'), 'accepted'])
  })
})
