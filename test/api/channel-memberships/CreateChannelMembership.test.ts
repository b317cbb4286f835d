import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { CreateChannelMembershipCommandInput } from '@aws-sdk/client-chime-sdk-messaging'
import { type Population, populate } from '../../support/population.ts'
import { assertRefused, invalidUser, outcomeOf } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const people = await populate(server)

const join = (population: Population, input: Partial<CreateChannelMembershipCommandInput> = {}) =>
  server.messaging.createChannelMembership({
    ChannelArn: population.channelArn,
    ChimeBearer: population.owner,
    MemberArn: population.stranger,
    Type: 'DEFAULT',
    ...input,
  })

suite('CreateChannelMembership', () => {
  test('returns the channel and the member by name', async () => {
    const MemberArn = await people.createUser('ben')
    const { ChannelArn, Member } = await join(people, { MemberArn })
    assert.deepEqual({ ChannelArn, Member }, { ChannelArn: people.channelArn, Member: { Arn: MemberArn, Name: 'ben' } })
  })

  test('adds a member, which may then send', async () => {
    const MemberArn = await people.createUser('cleo')
    const send = () => people.send({ ChimeBearer: MemberArn })
    await assertRefused(send(), 'Forbidden')
    await join(people, { MemberArn })
    await send()
  })

  test('rejects a user that is a member already, of either Type', async () => {
    for (const MemberArn of [people.member, people.hidden]) {
      for (const Type of ['DEFAULT', 'HIDDEN'] as const) {
        await assertRefused(
          join(people, { MemberArn, Type }),
          'Conflict',
          'The user is a member of the channel already',
        )
      }
    }
  })

  test('does not find a user that is unknown', () =>
    assertRefused(join(people, { MemberArn: people.user('nobody') }), 'NotFound'))

  test('rejects what is no user of the AppInstance', async () => {
    const others = await populate(server)
    for (const MemberArn of [others.member, people.channelArn, people.appInstanceArn]) {
      await assertRefused(join(people, { MemberArn }), 'Forbidden', invalidUser)
    }
  })

  test('rejects sub-channels and other Types as bad requests', async () => {
    await assertRefused(join(people, { SubChannelId: 's' }), 'BadRequest', /SubChannelId/)
    await assertRefused(join(people, { Type: 'BANNED' as 'HIDDEN' }), 'BadRequest', /'type' .* \[DEFAULT, HIDDEN\]/)
    await assertRefused(join(people, { MemberArn: 'ann' }), 'BadRequest', /'memberArn'/)
  })

  test('lets a stranger join where the channel is PUBLIC and UNRESTRICTED, and nowhere else', async () => {
    for (const Privacy of ['PUBLIC', 'PRIVATE'] as const) {
      for (const Mode of ['RESTRICTED', 'UNRESTRICTED'] as const) {
        const ChannelArn = await people.createChannel({ Privacy, Mode })
        const outcome = await outcomeOf(join(people, { ChannelArn, ChimeBearer: people.stranger }))
        const expected = Privacy === 'PUBLIC' && Mode === 'UNRESTRICTED' ? 'accepted' : 'Forbidden'
        assert.equal(outcome, expected, `${Privacy} ${Mode}`)
      }
    }
  })

  test('takes one of ten calls at once', async () => {
    const MemberArn = await people.createUser('dora')
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => outcomeOf(join(people, { MemberArn }))))
    assert.deepEqual(outcomes.sort(), [...Array(9).fill('Conflict'), 'accepted'])
  })
})

suite('CREATE_CHANNEL_MEMBERSHIP', () => {
  test('goes to all members, including the new one', async () => {
    const population = await populate(server)
    const users = [population.owner, population.member, population.hidden, population.stranger]
    const sessions = await Promise.all(users.map((user) => server.session(user)))
    await join(population)
    for (const session of sessions) {
      const { eventType, messageType, payload } = await session.next()
      assert.deepEqual([eventType, messageType], ['CREATE_CHANNEL_MEMBERSHIP', 'SYSTEM'])
      const { CreatedTimestamp, LastUpdatedTimestamp, ...membership } = payload as Record<string, string>
      assert.match(CreatedTimestamp!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      assert.equal(LastUpdatedTimestamp, CreatedTimestamp)
      assert.deepEqual(membership, {
        ChannelArn: population.channelArn,
        Member: { Arn: population.stranger, Name: 'stranger' },
        InvitedBy: { Arn: population.owner, Name: 'owner' },
        Type: 'DEFAULT',
      })
    }
  })

  test('of a HIDDEN member goes to that member and to the moderators and admins among the members', async () => {
    const population = await populate(server)
    const { owner, admin, member, stranger } = population
    await join(population, { MemberArn: admin })
    const told = await Promise.all([owner, admin, stranger].map((user) => server.session(user)))
    const untold = await server.session(member)
    await join(population, { Type: 'HIDDEN' })
    await population.send()
    for (const session of told) {
      assert.deepEqual(await session.eventTypes(2), ['CREATE_CHANNEL_MEMBERSHIP', 'CREATE_CHANNEL_MESSAGE'])
    }
    assert.deepEqual(await untold.eventTypes(1), ['CREATE_CHANNEL_MESSAGE'])
  })
})
