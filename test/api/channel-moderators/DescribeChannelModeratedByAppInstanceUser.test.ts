import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { populate } from '../../support/population.ts'
import { assertRefused, invalidUser, noAccess } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const people = await populate(server, { Metadata: 'm', Privacy: 'PUBLIC' })
const others = await populate(server)
const describe = (AppInstanceUserArn: string, ChimeBearer = people.admin, ChannelArn = people.channelArn) =>
  server.messaging.describeChannelModeratedByAppInstanceUser({ ChannelArn, AppInstanceUserArn, ChimeBearer })

suite('DescribeChannelModeratedByAppInstanceUser', () => {
  test('returns the summary of the channel to its moderator, and to admins', async () => {
    const { MessageId } = await people.send()
    const { CreatedTimestamp: LastMessageTimestamp } = await people.read(MessageId)
    const ChannelSummary = {
      ChannelArn: people.channelArn,
      Name: 'Lobby',
      Mode: 'RESTRICTED',
      Privacy: 'PUBLIC',
      Metadata: 'm',
      LastMessageTimestamp,
    }
    for (const bearer of [people.moderator, people.admin]) {
      assert.deepEqual((await describe(people.moderator, bearer)).Channel, { ChannelSummary })
    }
  })

  test('is forbidden where the user does not moderate the channel, member or not', async () => {
    for (const user of [people.member, people.admin, people.stranger]) {
      await assertRefused(describe(user), 'Forbidden', noAccess)
      await assertRefused(describe(user, user), 'Forbidden', noAccess)
    }
  })

  test('is forbidden about others, but for admins', async () => {
    for (const bearer of [people.owner, people.member, people.stranger]) {
      await assertRefused(describe(people.moderator, bearer), 'Forbidden', noAccess)
    }
    for (const user of [people.user('nobody'), others.moderator]) {
      await assertRefused(describe(user), 'Forbidden', invalidUser)
    }
  })

  test('rejects what is no ARN as a bad request', () =>
    assertRefused(describe('ann'), 'BadRequest', /'appInstanceUserArn'/))
})
