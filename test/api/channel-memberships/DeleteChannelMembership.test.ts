import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type Population, populate } from '../../support/population.ts'
import { assertRefused, invalidUser, outcomeOf } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'
import { SteeredStore } from '../../support/steered-store.ts'

const store = new SteeredStore()
const server = await startTestServer({ aroundStore: store.around })

const remove = (
  { channelArn, owner, member }: Population,
  {
    ChannelArn = channelArn,
    ChimeBearer = owner,
    MemberArn = member,
    SubChannelId = undefined as string | undefined,
  } = {},
) =>
  server.messaging.deleteChannelMembership({
    ChannelArn,
    ChimeBearer,
    MemberArn,
    ...(SubChannelId && { SubChannelId }),
  })

const join = ({ channelArn, owner }: Population, MemberArn: string, Type: 'DEFAULT' | 'HIDDEN' = 'DEFAULT') =>
  server.messaging.createChannelMembership({ ChannelArn: channelArn, ChimeBearer: owner, MemberArn, Type })

async function membersOf({ channelArn, owner }: Population, Type: 'DEFAULT' | 'HIDDEN' = 'DEFAULT') {
  const call = { ChannelArn: channelArn, ChimeBearer: owner, Type }
  const { ChannelMemberships } = await server.messaging.listChannelMemberships(call)
  return ChannelMemberships!.map(({ Member }) => Member!.Name)
}

const notMember = 'The user is not a member of the channel'

suite('DeleteChannelMembership', () => {
  test('takes a member out, who may then neither send nor read', async () => {
    const people = await populate(server)
    assert.deepEqual(await membersOf(people), ['owner', 'member'])
    await remove(people)
    assert.deepEqual(await membersOf(people), ['owner'])
    await assertRefused(people.send(), 'Forbidden')
    await assertRefused(people.history(), 'Forbidden')
  })

  test('takes a HIDDEN member out', async () => {
    const people = await populate(server)
    await remove(people, { MemberArn: people.hidden })
    assert.deepEqual(await membersOf(people, 'HIDDEN'), [])
  })

  test('leaves the moderator role as it is', async () => {
    const people = await populate(server)
    await remove(people, { ChimeBearer: people.owner, MemberArn: people.owner })
    await assertRefused(people.send({ ChimeBearer: people.owner }), 'Forbidden')
    await join(people, people.owner)
  })

  test('rejects a user who is no member, known or not, if the bearer may see the channel', async () => {
    const people = await populate(server, { Privacy: 'PUBLIC' })
    for (const MemberArn of [people.stranger, people.user('nobody')]) {
      await assertRefused(remove(people, { MemberArn }), 'Conflict', notMember)
    }
    const self = { ChimeBearer: people.stranger, MemberArn: people.stranger }
    await assertRefused(remove(people, self), 'Conflict', notMember)
    const ChannelArn = await people.createChannel({ Privacy: 'PRIVATE' })
    await assertRefused(remove(people, { ...self, ChannelArn }), 'Forbidden')
  })

  test('does not let DEFAULT members know of a HIDDEN one', async () => {
    const people = await populate(server, { Mode: 'UNRESTRICTED' })
    const hidden = { ChimeBearer: people.member, MemberArn: people.hidden }
    await assertRefused(remove(people, hidden), 'Conflict', notMember)
    assert.deepEqual(await membersOf(people, 'HIDDEN'), ['hidden'])
    await assertRefused(remove(people, { ChimeBearer: people.hidden }), 'Forbidden')
  })

  test('rejects what is no user of the AppInstance, and sub-channels', async () => {
    const [people, others] = [await populate(server), await populate(server)]
    for (const MemberArn of [others.member, people.channelArn, people.appInstanceArn]) {
      await assertRefused(remove(people, { MemberArn }), 'Forbidden', invalidUser)
    }
    await assertRefused(remove(people, { SubChannelId: 's' }), 'BadRequest', /SubChannelId/)
  })

  test('takes one of ten calls at once, and counts each membership once', async () => {
    const people = await populate(server)
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => outcomeOf(remove(people))))
    assert.deepEqual(outcomes.sort(), [...Array(9).fill('Conflict'), 'accepted'])
    await join(people, people.member)
    await remove(people)
    const counts = await store.read.get<{ members: number; memberships: number }>(
      `SELECT (SELECT members FROM channel_head WHERE channel_arn = $1) AS members,
         (SELECT memberships FROM app_instance_user WHERE app_instance_user_arn = $2) AS memberships`,
      people.channelArn,
      people.member,
    )
    assert.deepEqual({ ...counts }, { members: 2, memberships: 0 })
  })
})

suite('DELETE_CHANNEL_MEMBERSHIP', () => {
  test('goes to all members, including the removed one, which receives no later event', async () => {
    const people = await populate(server)
    const { owner, member, hidden, stranger } = people
    const sessions = await Promise.all([owner, hidden, member].map((user) => server.session(user)))
    const untold = await server.session(stranger)
    await remove(people)
    await people.send({ ChimeBearer: owner })
    for (const session of sessions) {
      const { eventType, messageType, payload } = await session.next()
      assert.deepEqual([eventType, messageType], ['DELETE_CHANNEL_MEMBERSHIP', 'SYSTEM'])
      const { CreatedTimestamp, LastUpdatedTimestamp, ...membership } = payload as Record<string, string>
      assert.match(CreatedTimestamp!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      assert.equal(LastUpdatedTimestamp, CreatedTimestamp)
      assert.deepEqual(membership, {
        ChannelArn: people.channelArn,
        Member: { Arn: member, Name: 'member' },
        InvitedBy: { Arn: owner, Name: 'owner' },
        Type: 'DEFAULT',
      })
    }
    for (const session of sessions.slice(0, 2))
      assert.deepEqual(await session.eventTypes(1), ['CREATE_CHANNEL_MESSAGE'])
    await join(people, stranger)
    await join(people, member)
    const again = ['CREATE_CHANNEL_MEMBERSHIP']
    assert.deepEqual(await sessions[2]!.eventTypes(1), again)
    assert.deepEqual(await untold.eventTypes(1), again)
  })

  test('of a HIDDEN member goes to that member and to the moderators and admins among the members', async () => {
    const people = await populate(server)
    const { owner, admin, member, hidden } = people
    await join(people, admin)
    const told = await Promise.all([owner, admin, hidden].map((user) => server.session(user)))
    const untold = await server.session(member)
    await remove(people, { MemberArn: hidden })
    await people.send()
    for (const session of told) assert.deepEqual(await session.eventTypes(1), ['DELETE_CHANNEL_MEMBERSHIP'])
    for (const session of [...told.slice(0, 2), untold]) {
      assert.deepEqual(await session.eventTypes(1), ['CREATE_CHANNEL_MESSAGE'])
    }
  })
})
