import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { BatchCreateChannelMembershipCommandInput } from '@aws-sdk/client-chime-sdk-messaging'
import { type Population, populate } from '../../support/population.ts'
import { assertRefused, invalidUser, noAccess, outcomeOf } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'
import { SteeredStore } from '../../support/steered-store.ts'

const store = new SteeredStore()
const server = await startTestServer({ aroundStore: store.around })

const add = (
  { channelArn, owner }: Population,
  MemberArns: string[],
  input: Partial<BatchCreateChannelMembershipCommandInput> = {},
) => server.messaging.batchCreateChannelMembership({ ChannelArn: channelArn, ChimeBearer: owner, MemberArns, ...input })

const createUsers = (people: Population, count: number) =>
  Promise.all(Array.from({ length: count }, (_, index) => people.createUser(`user-${index}`)))

async function memberCount({ channelArn }: Population): Promise<number> {
  const text = 'SELECT members FROM channel_head WHERE channel_arn = $1'
  return (await store.read.get<{ members: number }>(text, channelArn))!.members
}

const conflict = (MemberArn: string) => ({
  MemberArn,
  ErrorCode: 'Conflict',
  ErrorMessage: 'The user is a member of the channel already',
})

suite('BatchCreateChannelMembership', () => {
  test('returns the added members by name, and the inviter', async () => {
    const people = await populate(server)
    const [ann, bob] = [await people.createUser('ann'), await people.createUser('bob')]
    const { BatchChannelMemberships, Errors } = await add(people, [bob, ann])
    assert.deepEqual(BatchChannelMemberships, {
      InvitedBy: { Arn: people.owner, Name: 'owner' },
      Type: 'DEFAULT',
      Members: [
        { Arn: bob, Name: 'bob' },
        { Arn: ann, Name: 'ann' },
      ],
      ChannelArn: people.channelArn,
    })
    assert.deepEqual(Errors, [])
    for (const ChimeBearer of [ann, bob]) await people.send({ ChimeBearer })
  })

  test('adds the users that it can, and returns the errors of the others', async () => {
    const [people, others] = [await populate(server), await populate(server)]
    const { member, hidden, stranger, channelArn } = people
    const nobody = people.user('nobody')
    const named = [member, stranger, nobody, stranger, hidden, others.member, channelArn]
    const { BatchChannelMemberships, Errors } = await add(people, named)
    assert.deepEqual(BatchChannelMemberships?.Members, [{ Arn: stranger, Name: 'stranger' }])
    const invalid = { ErrorCode: 'Forbidden', ErrorMessage: invalidUser }
    assert.deepEqual(Errors, [
      conflict(member),
      { MemberArn: nobody, ErrorCode: 'NotFound', ErrorMessage: 'The user that MemberArn names does not exist' },
      conflict(stranger),
      conflict(hidden),
      { MemberArn: others.member, ...invalid },
      { MemberArn: channelArn, ...invalid },
    ])
  })

  test('succeeds if no user is added', async () => {
    const people = await populate(server)
    const { BatchChannelMemberships, Errors } = await add(people, [people.member], { Type: 'HIDDEN' })
    assert.deepEqual([BatchChannelMemberships?.Members, Errors], [[], [conflict(people.member)]])
    assert.equal(await memberCount(people), 3)
  })

  test('does not add who is banned', async () => {
    const people = await populate(server)
    await store.transaction(async (transaction) => {
      await transaction.run(
        `INSERT INTO channel_ban (channel_id, member_id, created_by_arn, created_by_name, created_at)
         SELECT channel_id, user_id, '', '""', 0 FROM channel, app_instance_user
         WHERE channel_arn = $1 AND app_instance_user_arn = $2`,
        people.channelArn,
        people.stranger,
      )
    })
    const { Errors } = await add(people, [people.stranger])
    assert.deepEqual(Errors, [{ MemberArn: people.stranger, ErrorCode: 'Forbidden', ErrorMessage: noAccess }])
  })

  test('counts the members, and stops at the quotas', async () => {
    const people = await populate(server)
    const users = await createUsers(people, 4)
    await store.transaction(async (transaction) => {
      await transaction.run('UPDATE channel_head SET members = 9998 WHERE channel_arn = $1', people.channelArn)
      await transaction.run(
        'UPDATE app_instance_user SET memberships = 20000 WHERE app_instance_user_arn = $1',
        users[0]!,
      )
    })
    const { BatchChannelMemberships, Errors } = await add(people, users)
    assert.deepEqual(
      BatchChannelMemberships?.Members?.map(({ Arn }) => Arn),
      users.slice(1, 3),
    )
    assert.deepEqual(
      Errors?.map(({ MemberArn, ErrorCode }) => [MemberArn, ErrorCode]),
      [users[0], users[3]].map((user) => [user, 'ResourceLimitExceeded']),
    )
    assert.equal(await memberCount(people), 10_000)
  })

  test('lets a user that is not a member only add itself, to a PUBLIC and UNRESTRICTED channel', async () => {
    const people = await populate(server, { Privacy: 'PUBLIC', Mode: 'UNRESTRICTED' })
    const ChimeBearer = people.stranger
    await assertRefused(add(people, [people.stranger, people.admin], { ChimeBearer }), 'Forbidden')
    await add(people, [people.stranger], { ChimeBearer })
  })

  test('takes 1 to 100 ARNs, and no sub-channels', async () => {
    const people = await populate(server)
    await assertRefused(add(people, []), 'BadRequest', /'memberArns'/)
    await assertRefused(add(people, Array(101).fill(people.stranger)), 'BadRequest', /'memberArns'/)
    await assertRefused(add(people, [people.stranger], { SubChannelId: 's' }), 'BadRequest', /SubChannelId/)
  })

  test('adds each user once, of ten calls at once with the same users in different orders', async () => {
    const people = await populate(server)
    const users = await createUsers(people, 5)
    const calls = Array.from({ length: 10 }, (_, index) => add(people, index % 2 ? users : users.toReversed()))
    const added = (await Promise.all(calls)).flatMap(({ BatchChannelMemberships }) => BatchChannelMemberships!.Members!)
    assert.deepEqual(added.map(({ Arn }) => Arn).sort(), users)
    assert.equal(await memberCount(people), 8)
  })
})

suite('BATCH_CREATE_CHANNEL_MEMBERSHIP', () => {
  test('goes once to all members, including the added ones, who receive later events', async () => {
    const people = await populate(server)
    const users = await createUsers(people, 100)
    const here = [people.member, users[0]!, users[50]!, users[99]!]
    const sessions = await Promise.all(here.map((user) => server.session(user)))
    await add(people, users)
    await people.send()
    for (const session of sessions) {
      const { eventType, messageType, payload } = await session.next()
      assert.deepEqual([eventType, messageType], ['BATCH_CREATE_CHANNEL_MEMBERSHIP', 'SYSTEM'])
      assert.deepEqual(payload, {
        ChannelArn: people.channelArn,
        InvitedBy: { Arn: people.owner, Name: 'owner' },
        Type: 'DEFAULT',
        Members: users.map((user, index) => ({ Arn: user, Name: `user-${index}` })),
      })
      assert.deepEqual(await session.eventTypes(1), ['CREATE_CHANNEL_MESSAGE'])
    }
  })

  test('of HIDDEN members goes to them, and to the moderators and admins among the members', async () => {
    const people = await populate(server)
    const { owner, member, stranger, admin } = people
    const told = await Promise.all([owner, stranger, admin].map((user) => server.session(user)))
    const untold = await server.session(member)
    await add(people, [stranger, admin], { Type: 'HIDDEN' })
    await people.send()
    for (const session of told) {
      assert.deepEqual(await session.eventTypes(2), ['BATCH_CREATE_CHANNEL_MEMBERSHIP', 'CREATE_CHANNEL_MESSAGE'])
    }
    assert.deepEqual(await untold.eventTypes(1), ['CREATE_CHANNEL_MESSAGE'])
  })

  test('is not published if no user is added', async () => {
    const people = await populate(server)
    const session = await server.session(people.member)
    assert.equal(await outcomeOf(add(people, [people.member])), 'accepted')
    await people.send()
    assert.deepEqual(await session.eventTypes(1), ['CREATE_CHANNEL_MESSAGE'])
  })
})
