import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { ListChannelsModeratedByAppInstanceUserCommandInput } from '@aws-sdk/client-chime-sdk-messaging'
import { populate, roles } from '../../support/population.ts'
import { assertRefused, invalidUser, noAccess } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

type Input = Partial<ListChannelsModeratedByAppInstanceUserCommandInput>

const server = await startTestServer()
const people = await populate(server, { Metadata: 'm' })
const others = await populate(server)
const lobby = people.channelArn
const garden = await people.createChannel({ Name: 'Garden', Privacy: 'PUBLIC' })
await people.createChannel({ ModeratorArns: [people.member] })

const list = async (input: Input = {}) => {
  const call = { ChimeBearer: people.moderator, ...input }
  return (await server.messaging.listChannelsModeratedByAppInstanceUser(call)).Channels
}
const arnsOf = async (input: Input = {}) => (await list(input))?.map(({ ChannelSummary }) => ChannelSummary?.ChannelArn)

suite('ListChannelsModeratedByAppInstanceUser', () => {
  test('returns what the bearer moderates, member or not, in the order of creation', async () => {
    const { MessageId } = await people.send()
    const { CreatedTimestamp: LastMessageTimestamp } = await people.read(MessageId)
    const channels = await list()
    const common = { Mode: 'RESTRICTED' }
    assert.deepEqual(channels, [
      {
        ChannelSummary: {
          ...common,
          ChannelArn: lobby,
          Name: 'Lobby',
          Privacy: 'PRIVATE',
          Metadata: 'm',
          LastMessageTimestamp,
        },
      },
      { ChannelSummary: { ...common, ChannelArn: garden, Name: 'Garden', Privacy: 'PUBLIC' } },
    ])
    assert.deepEqual(await list({ AppInstanceUserArn: people.moderator }), channels)
  })

  test('is for everybody about themselves, and for admins about anybody', async () => {
    for (const role of roles) {
      const ChimeBearer = people[role]
      const own = await arnsOf({ ChimeBearer })
      assert.equal(own?.length, role === 'moderator' ? 2 : role === 'member' ? 1 : 0, role)
      assert.deepEqual(await arnsOf({ ChimeBearer: people.admin, AppInstanceUserArn: ChimeBearer }), own, role)
      if (role === 'admin') continue
      await assertRefused(list({ ChimeBearer, AppInstanceUserArn: people.owner }), 'Forbidden', noAccess)
    }
  })

  test('leaves out a channel that is deleted', async () => {
    const ChannelArn = await people.createChannel()
    assert.deepEqual(await arnsOf(), [lobby, garden, ChannelArn])
    await server.messaging.deleteChannel({ ChannelArn, ChimeBearer: people.owner })
    assert.deepEqual(await arnsOf(), [lobby, garden])
  })

  test('rejects an admin what is no user of the AppInstance', async () => {
    for (const AppInstanceUserArn of [people.user('nobody'), others.member, lobby]) {
      await assertRefused(list({ ChimeBearer: people.admin, AppInstanceUserArn }), 'Forbidden', invalidUser)
    }
    await assertRefused(list({ AppInstanceUserArn: 'ann' }), 'BadRequest', /'appInstanceUserArn'/)
  })
})
