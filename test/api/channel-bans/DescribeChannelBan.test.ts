import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { populate } from '../../support/population.ts'
import { assertRefused } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const people = await populate(server)
const others = await populate(server)
const { channelArn: ChannelArn } = people
const describe = (MemberArn: string, ChimeBearer = people.admin) =>
  server.messaging.describeChannelBan({ ChannelArn, MemberArn, ChimeBearer })

suite('DescribeChannelBan', () => {
  test('returns the banned user, the giver of the ban, and the time', async () => {
    const { Channel } = await server.messaging.describeChannel({ ChannelArn, ChimeBearer: people.owner })
    await server.messaging.createChannelBan({ ChannelArn, MemberArn: people.member, ChimeBearer: people.moderator })
    for (const ChimeBearer of [people.owner, people.admin]) {
      const { CreatedTimestamp, ...ban } = (await describe(people.member, ChimeBearer)).ChannelBan!
      assert.deepEqual(ban, {
        ChannelArn,
        Member: { Arn: people.member, Name: 'member' },
        CreatedBy: { Arn: people.moderator, Name: 'moderator' },
      })
      assert.ok(CreatedTimestamp! >= Channel!.CreatedTimestamp!)
    }
  })

  test('does not find who is not banned from this channel', async () => {
    const elsewhere = await people.createChannel()
    const { stranger: MemberArn, owner: ChimeBearer } = people
    await server.messaging.createChannelBan({ ChannelArn: elsewhere, MemberArn, ChimeBearer })
    const text = 'The user is not banned from the channel'
    for (const arn of [MemberArn, people.hidden, people.user('nobody'), others.member, ChannelArn]) {
      await assertRefused(describe(arn), 'NotFound', text)
    }
  })

  test('rejects what is no ARN as a bad request', () => assertRefused(describe('ann'), 'BadRequest', /'memberArn'/))
})
