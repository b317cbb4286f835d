import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { DescribeChannelMembershipCommandInput } from '@aws-sdk/client-chime-sdk-messaging'
import { populate } from '../../support/population.ts'
import { assertRefused, noAccess } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const people = await populate(server)
const others = await populate(server)

const describe = async (input: Partial<DescribeChannelMembershipCommandInput> = {}) => {
  const call = { ChannelArn: people.channelArn, ChimeBearer: people.owner, MemberArn: people.member, ...input }
  return (await server.messaging.describeChannelMembership(call)).ChannelMembership
}
const noMember = 'The user that MemberArn names is not a member of the channel'

suite('DescribeChannelMembership', () => {
  test('returns the member, the time and the inviter', async () => {
    const { CreatedTimestamp, LastUpdatedTimestamp, ...rest } = (await describe())!
    assert.deepEqual(rest, {
      ChannelArn: people.channelArn,
      Member: { Arn: people.member, Name: 'member' },
      InvitedBy: { Arn: people.owner, Name: 'owner' },
      Type: 'DEFAULT',
    })
    assert.ok(CreatedTimestamp instanceof Date)
    assert.deepEqual(LastUpdatedTimestamp, CreatedTimestamp)
  })

  test('responds to every user that may see the channel', async () => {
    for (const ChimeBearer of [people.admin, people.moderator, people.member, people.hidden]) {
      assert.equal((await describe({ ChimeBearer }))?.Member?.Arn, people.member)
    }
    await assertRefused(describe({ ChimeBearer: people.stranger }), 'Forbidden', noAccess)
    const ChannelArn = await people.createChannel({ Privacy: 'PUBLIC' })
    assert.equal((await describe({ ChannelArn, ChimeBearer: people.stranger }))?.Member?.Arn, people.member)
  })

  test('returns a HIDDEN membership only to its owner, moderators and admins', async () => {
    const ChannelArn = await people.createChannel({ Privacy: 'PUBLIC' })
    const { hidden: MemberArn } = people
    for (const ChimeBearer of [people.hidden, people.moderator, people.admin]) {
      assert.equal((await describe({ ChannelArn, MemberArn, ChimeBearer }))?.Type, 'HIDDEN')
    }
    for (const ChimeBearer of [people.member, people.stranger]) {
      await assertRefused(describe({ ChannelArn, MemberArn, ChimeBearer }), 'NotFound', noMember)
    }
  })

  test('does not find who is no member, or no user at all', async () => {
    for (const MemberArn of [people.stranger, people.user('nobody'), others.member, people.channelArn]) {
      await assertRefused(describe({ MemberArn }), 'NotFound', noMember)
      await assertRefused(describe({ MemberArn, ChimeBearer: people.stranger }), 'Forbidden', noAccess)
    }
  })

  test('rejects sub-channels and what is no ARN as bad requests', async () => {
    await assertRefused(describe({ SubChannelId: 's' }), 'BadRequest', /SubChannelId/)
    await assertRefused(describe({ MemberArn: 'ann' }), 'BadRequest', /'memberArn'/)
  })
})
