import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { populate } from '../../support/population.ts'
import { assertRefused } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const people = await populate(server)
const others = await populate(server)
const describe = (ChannelModeratorArn: string, ChimeBearer = people.admin) =>
  server.messaging.describeChannelModerator({ ChannelArn: people.channelArn, ChannelModeratorArn, ChimeBearer })

suite('DescribeChannelModerator', () => {
  test('returns who the moderator is, and who made it one, and when', async () => {
    const { Channel } = await server.messaging.describeChannel({
      ChannelArn: people.channelArn,
      ChimeBearer: people.owner,
    })
    const CreatedBy = { Arn: people.owner, Name: 'owner' }
    const about = { ChannelArn: people.channelArn, CreatedTimestamp: Channel!.CreatedTimestamp, CreatedBy }
    for (const ChimeBearer of [people.admin, people.moderator]) {
      const { ChannelModerator } = await describe(people.moderator, ChimeBearer)
      assert.deepEqual(ChannelModerator, { Moderator: { Arn: people.moderator, Name: 'moderator' }, ...about })
    }
    assert.deepEqual((await describe(people.owner)).ChannelModerator, { Moderator: CreatedBy, ...about })
  })

  test('does not find who is no moderator of the channel', async () => {
    const text = 'The user is not a moderator of the channel'
    const none = [people.member, people.admin, people.user('nobody'), others.moderator, people.channelArn]
    for (const arn of none) await assertRefused(describe(arn), 'NotFound', text)
  })

  test('rejects what is no ARN as a bad request', () =>
    assertRefused(describe('ann'), 'BadRequest', /'channelModeratorArn'/))
})
