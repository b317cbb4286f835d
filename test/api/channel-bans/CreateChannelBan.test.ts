import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type Population, populate } from '../../support/population.ts'
import { assertRefused, invalidUser, noAccess, outcomeOf } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const people = await populate(server, { Privacy: 'PUBLIC', Mode: 'UNRESTRICTED' })
const others = await populate(server)

const ban = (MemberArn = people.member, { channelArn: ChannelArn, owner } = people, ChimeBearer = owner) =>
  server.messaging.createChannelBan({ ChannelArn, MemberArn, ChimeBearer })

const join = ({ channelArn: ChannelArn, owner, member: MemberArn }: Population, ChimeBearer = owner) =>
  server.messaging.createChannelMembership({ ChannelArn, MemberArn, Type: 'DEFAULT', ChimeBearer })

suite('CreateChannelBan', () => {
  test('returns the channel and the banned user by name', async () => {
    const MemberArn = await people.createUser('ben')
    const { $metadata, ...answer } = await ban(MemberArn)
    assert.equal($metadata.httpStatusCode, 201)
    assert.deepEqual(answer, { ChannelArn: people.channelArn, Member: { Arn: MemberArn, Name: 'ben' } })
  })

  test('ends the membership, and no user can be added again by any bearer', async () => {
    const population = await populate(server, { Privacy: 'PUBLIC', Mode: 'UNRESTRICTED' })
    const { channelArn: ChannelArn, member, hidden, admin, owner: ChimeBearer } = population
    await ban(member, population)
    await ban(hidden, population)
    for (const Type of ['DEFAULT', 'HIDDEN'] as const) {
      const { ChannelMemberships } = await server.messaging.listChannelMemberships({ ChannelArn, ChimeBearer, Type })
      const left = Type === 'DEFAULT' ? [population.owner] : []
      assert.deepEqual(
        ChannelMemberships?.map(({ Member }) => Member?.Arn),
        left,
      )
    }
    for (const bearer of [ChimeBearer, admin, member]) {
      await assertRefused(join(population, bearer), 'Forbidden', noAccess)
    }
    await assertRefused(population.send(), 'Forbidden', noAccess)
  })

  test('takes a PUBLIC channel out of sight', async () => {
    const population = await populate(server, { Privacy: 'PUBLIC' })
    const { channelArn: ChannelArn, stranger: ChimeBearer } = population
    await server.messaging.describeChannel({ ChannelArn, ChimeBearer })
    await ban(ChimeBearer, population)
    await assertRefused(server.messaging.describeChannel({ ChannelArn, ChimeBearer }), 'Forbidden', noAccess)
    await assertRefused(population.history(ChimeBearer), 'Forbidden', noAccess)
  })

  test('rejects who is banned already', async () => {
    const MemberArn = await people.createUser('cleo')
    await ban(MemberArn)
    await assertRefused(ban(MemberArn), 'Conflict', 'The user is banned from the channel already')
  })

  test('rejects admins and moderators as bad requests, and so oneself', async () => {
    const text = 'An AppInstanceAdmin or a moderator of the channel cannot be banned from it'
    for (const arn of [people.admin, people.moderator, people.owner]) await assertRefused(ban(arn), 'BadRequest', text)
  })

  test('rejects what is no user of the AppInstance', async () => {
    for (const arn of [people.user('nobody'), others.member, people.channelArn, people.appInstanceArn]) {
      await assertRefused(ban(arn), 'Forbidden', invalidUser)
    }
    await assertRefused(ban('ann'), 'BadRequest', /'memberArn'/)
  })

  test('takes one of ten calls at once', async () => {
    const population = await populate(server)
    const calls = Array.from({ length: 10 }, () => outcomeOf(ban(population.member, population)))
    assert.deepEqual((await Promise.all(calls)).sort(), [...Array(9).fill('Conflict'), 'accepted'])
  })
})

suite('the sessions', () => {
  test('of all members and of the banned user receive DELETE_CHANNEL_MEMBERSHIP, and the banned one nothing after it', async () => {
    const population = await populate(server)
    const { member, owner } = population
    const banned = [await server.session(member), await server.session(member)]
    const session = await server.session(owner)
    await ban(member, population)
    await population.send({ ChimeBearer: owner })
    await server.messaging.createChannel({
      AppInstanceArn: population.appInstanceArn,
      ChimeBearer: member,
      Name: 'Own',
    })
    for (const heard of [session, ...banned]) {
      const { eventType, payload } = await heard.next()
      assert.equal(eventType, 'DELETE_CHANNEL_MEMBERSHIP')
      assert.deepEqual((payload as { Member: object }).Member, { Arn: member, Name: 'member' })
    }
    assert.deepEqual(await session.eventTypes(1), ['CREATE_CHANNEL_MESSAGE'])
    for (const heard of banned) assert.deepEqual(await heard.eventTypes(1), ['CREATE_CHANNEL_MEMBERSHIP'])
  })

  test('receive nothing if the banned user was not a member', async () => {
    const population = await populate(server)
    const session = await server.session(population.owner)
    await ban(population.stranger, population)
    await population.send()
    assert.deepEqual(await session.eventTypes(1), ['CREATE_CHANNEL_MESSAGE'])
  })
})

suite('what a flow holds', () => {
  test('of the banned user fails, with an event before its leave, and no callback releases it', async () => {
    const population = await populate(server)
    await population.attachFlow(['first', 'second'])
    const [banned, session] = [await server.session(population.member), await server.session(population.owner)]
    const atFirst = await population.sendHeld({ Content: 'one' })
    const forOne = await population.sendHeld({ Content: 'two', Target: [{ MemberArn: population.owner }] })
    const transient = await population.sendHeld({ Content: 'three', Persistence: 'NON_PERSISTENT' })
    const changed = await population.sendHeld({ Content: 'four' })
    await population.allow(changed, { Content: 'FOUR' })
    const atSecond = await server.processors.nextAfter(changed)
    await banned.eventTypes(4)
    await ban(population.member, population)

    const failed = []
    for (const _ of [1, 2, 3, 4]) {
      const { eventType, payload } = await banned.next()
      const { Content, Status } = payload as { Content: string; Status: object }
      assert.equal(eventType, 'FAILED_CREATE_CHANNEL_MESSAGE')
      assert.deepEqual(Status, { Value: 'FAILED', Detail: 'The sender was banned from the channel' })
      failed.push(Content)
    }
    assert.deepEqual(failed.sort(), ['four', 'one', 'three', 'two'])
    assert.deepEqual(await banned.eventTypes(1), ['DELETE_CHANNEL_MEMBERSHIP'])
    for (const event of [atFirst, forOne, transient, atSecond]) {
      await assertRefused(population.allow(event), 'Forbidden', noAccess)
    }
    await population.send({ ChimeBearer: population.owner, Type: 'CONTROL', Content: 'c' })
    assert.deepEqual(await session.eventTypes(2), ['DELETE_CHANNEL_MEMBERSHIP', 'CREATE_CHANNEL_MESSAGE'])
    assert.deepEqual(await population.history(population.owner), ['c'])
  })

  test('as an update fails, and the message does not change', async () => {
    const population = await populate(server)
    const { MessageId } = await population.send({ Content: 'sent' })
    await population.attachFlow(['first'])
    const banned = await server.session(population.member)
    const event = await population.updateHeld(MessageId, { Content: 'edited' })
    await ban(population.member, population)
    assert.deepEqual(await banned.eventTypes(1), ['PENDING_UPDATE_CHANNEL_MESSAGE'])
    const { eventType, payload } = await banned.next()
    assert.equal(eventType, 'FAILED_UPDATE_CHANNEL_MESSAGE')
    assert.equal((payload as { Content: string }).Content, 'edited')
    await assertRefused(population.allow(event), 'Forbidden', noAccess)
    assert.deepEqual(await population.history(population.owner), ['sent'])
    assert.equal((await population.read(MessageId, population.owner)).Content, 'sent')
  })

  test('of other users, and of the banned user in other channels, continues', async () => {
    const population = await populate(server)
    const { owner, member, channelArn } = population
    const elsewhere = await population.createChannel()
    const ChannelFlowArn = await population.attachFlow(['first'])
    await server.messaging.associateChannelFlow({ ChannelArn: elsewhere, ChannelFlowArn, ChimeBearer: owner })
    const ofOwner = await population.sendHeld({ ChimeBearer: owner })
    const there = await population.sendHeld({ ChannelArn: elsewhere })
    await ban(member, population)
    for (const event of [ofOwner, there]) await population.allow(event)
    for (const ChannelArn of [channelArn, elsewhere]) {
      const list = { ChannelArn, ChimeBearer: owner }
      const { ChannelMessages } = await server.messaging.listChannelMessages(list)
      assert.deepEqual(
        ChannelMessages?.map(({ Content }) => Content),
        ['hello'],
      )
    }
  })

  test('of a user that has left before fails, too', async () => {
    const population = await populate(server)
    await population.attachFlow(['first'])
    const event = await population.sendHeld()
    const { channelArn: ChannelArn, member: MemberArn, owner: ChimeBearer } = population
    await server.messaging.deleteChannelMembership({ ChannelArn, MemberArn, ChimeBearer })
    await ban(MemberArn, population)
    await assertRefused(population.allow(event), 'Forbidden', noAccess)
    assert.deepEqual(await population.history(ChimeBearer), [])
  })

  test('is released before the ban or not at all, when callbacks come at the same time', async () => {
    const population = await populate(server)
    await population.attachFlow(['first'])
    const { channelArn: ChannelArn, member: MemberArn, owner: ChimeBearer } = population
    const session = await server.session(ChimeBearer)
    for (let round = 0; round < 5; round += 1) {
      const events = []
      for (let count = 0; count < 8; count += 1) events.push(await population.sendHeld())
      const verdicts = events.map((event) => outcomeOf(population.allow(event)))
      const [, ...outcomes] = await Promise.all([ban(MemberArn, population), ...verdicts])
      const released = outcomes.filter((outcome) => outcome === 'accepted').length
      assert.ok(
        outcomes.every((outcome) => ['accepted', 'Forbidden', 'Conflict'].includes(outcome)),
        `${outcomes}`,
      )
      const heard = await session.eventTypes(released + 1)
      assert.deepEqual(heard, [...Array(released).fill('CREATE_CHANNEL_MESSAGE'), 'DELETE_CHANNEL_MEMBERSHIP'])
      await server.messaging.deleteChannelBan({ ChannelArn, MemberArn, ChimeBearer })
      await join(population)
      assert.deepEqual(await session.eventTypes(1), ['CREATE_CHANNEL_MEMBERSHIP'])
    }
  })

  test('fails completely while the banned user keeps sending', async () => {
    const population = await populate(server)
    await population.attachFlow(['first'])
    const [banned, session] = [await server.session(population.member), await server.session(population.owner)]
    let accepted = 0
    const sendUntilRefused = async () => {
      for (let outcome = 'accepted'; outcome === 'accepted'; ) {
        outcome = await outcomeOf(population.send())
        if (outcome === 'accepted') accepted += 1
        else assert.equal(outcome, 'Forbidden')
      }
    }
    const senders = Array.from({ length: 8 }, sendUntilRefused)
    await banned.eventTypes(40)
    await ban(population.member, population)
    await Promise.all(senders)
    const heard = await banned.eventTypes(2 * accepted + 1 - 40)
    assert.equal(heard.at(-1), 'DELETE_CHANNEL_MEMBERSHIP')
    assert.equal(heard.filter((eventType) => eventType === 'FAILED_CREATE_CHANNEL_MESSAGE').length, accepted)
    assert.deepEqual(await session.eventTypes(1), ['DELETE_CHANNEL_MEMBERSHIP'])
    assert.deepEqual(await population.history(population.owner), [])
  })

  test('fails in pieces where it is much, all of it before the leave', async () => {
    const population = await populate(server)
    await population.attachFlow(['first'])
    const [banned, session] = [await server.session(population.member), await server.session(population.owner)]
    const many = 600
    const sends = Array.from({ length: many }, () => population.send())
    await Promise.all([...sends, population.send({ ChimeBearer: population.owner, Content: 'mine' })])
    await banned.eventTypes(many)
    await ban(population.member, population)
    assert.deepEqual(await banned.eventTypes(many + 1), [
      ...Array(many).fill('FAILED_CREATE_CHANNEL_MESSAGE'),
      'DELETE_CHANNEL_MEMBERSHIP',
    ])
    assert.deepEqual(await session.eventTypes(2), ['PENDING_CREATE_CHANNEL_MESSAGE', 'DELETE_CHANNEL_MEMBERSHIP'])
    assert.deepEqual(await population.history(population.owner), ['mine'])
  })
})
