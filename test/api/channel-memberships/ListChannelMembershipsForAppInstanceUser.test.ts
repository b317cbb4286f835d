import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { ListChannelMembershipsForAppInstanceUserCommandInput } from '@aws-sdk/client-chime-sdk-messaging'
import { populate, roles } from '../../support/population.ts'
import { assertRefused, invalidUser, noAccess } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

type Input = Partial<ListChannelMembershipsForAppInstanceUserCommandInput>

const server = await startTestServer()
const people = await populate(server, { Metadata: 'm' })
const others = await populate(server)
const lobby = people.channelArn
const garden = await people.createChannel({ Name: 'Garden', Privacy: 'PUBLIC', Mode: 'UNRESTRICTED' })

const list = async (input: Input = {}) => {
  const call = { ChimeBearer: people.member, ...input }
  return (await server.messaging.listChannelMembershipsForAppInstanceUser(call)).ChannelMemberships
}
const arnsOf = async (input: Input = {}) => (await list(input))?.map(({ ChannelSummary }) => ChannelSummary?.ChannelArn)
const markersOf = async (input: Input = {}) =>
  (await list(input))?.map((membership) => membership.AppInstanceUserMembershipSummary?.ReadMarkerTimestamp)

suite('ListChannelMembershipsForAppInstanceUser', () => {
  test("returns the bearer's own channels and its part in them, in the order of the channels' creation", async () => {
    const memberships = await list()
    assert.deepEqual(memberships, [
      {
        ChannelSummary: {
          ChannelArn: lobby,
          Name: 'Lobby',
          Mode: 'RESTRICTED',
          Privacy: 'PRIVATE',
          Metadata: 'm',
        },
        AppInstanceUserMembershipSummary: { Type: 'DEFAULT' },
      },
      {
        ChannelSummary: { ChannelArn: garden, Name: 'Garden', Mode: 'UNRESTRICTED', Privacy: 'PUBLIC' },
        AppInstanceUserMembershipSummary: { Type: 'DEFAULT' },
      },
    ])
    assert.deepEqual(await list({ AppInstanceUserArn: people.member }), memberships)
  })

  test('is for everybody about themselves, and for admins about anybody', async () => {
    const belonging: Record<string, string[]> = { member: [lobby, garden], hidden: [lobby, garden] }
    for (const role of roles) {
      const ChimeBearer = people[role]
      assert.deepEqual(await arnsOf({ ChimeBearer }), belonging[role] ?? [], role)
      const about = { ChimeBearer: people.admin, AppInstanceUserArn: ChimeBearer }
      assert.deepEqual(await arnsOf(about), belonging[role] ?? [], role)
      if (role === 'admin') continue
      await assertRefused(list({ ChimeBearer, AppInstanceUserArn: people.owner }), 'Forbidden', noAccess)
      await assertRefused(list({ ChimeBearer, AppInstanceUserArn: people.user('nobody') }), 'Forbidden', noAccess)
    }
  })

  test('marks HIDDEN memberships', async () => {
    const types = (await list({ ChimeBearer: people.hidden }))?.map(
      ({ AppInstanceUserMembershipSummary }) => AppInstanceUserMembershipSummary?.Type,
    )
    assert.deepEqual(types, ['HIDDEN', 'HIDDEN'])
  })

  test('returns the time of a channel’s last message', async () => {
    const { MessageId } = await people.send()
    const { CreatedTimestamp } = await people.read(MessageId)
    const times = (await list())?.map(({ ChannelSummary }) => ChannelSummary?.LastMessageTimestamp)
    assert.deepEqual(times, [CreatedTimestamp, undefined])
  })

  test('returns the read marker only to its owner, not to an admin', async () => {
    await server.messaging.updateChannelReadMarker({ ChannelArn: garden, ChimeBearer: people.member })
    const [first, second] = (await markersOf()) ?? []
    assert.equal(first, undefined)
    assert.ok(second instanceof Date)
    const { admin: ChimeBearer, member: AppInstanceUserArn } = people
    assert.deepEqual(await markersOf({ ChimeBearer, AppInstanceUserArn }), [undefined, undefined])
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
