import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { UpdateChannelCommandInput } from '@aws-sdk/client-chime-sdk-messaging'
import { ManualClock } from '../../support/manual-clock.ts'
import { populate } from '../../support/population.ts'
import { assertRefused, noAccess, violation } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

type Input = Partial<UpdateChannelCommandInput>

const clock = new ManualClock(Date.now())
const server = await startTestServer({ clock })
const people = await populate(server)
const { owner } = people

const first = { Name: 'Tower', Metadata: 'm', Mode: 'RESTRICTED', Privacy: 'PUBLIC' } as const
const newChannel = () => people.createChannel(first)
const update = (ChannelArn: string, input: Input = {}) =>
  server.messaging.updateChannel({ ChannelArn, ChimeBearer: owner, ...input })
const describe = async (ChannelArn: string) =>
  (await server.messaging.describeChannel({ ChannelArn, ChimeBearer: owner })).Channel!

suite('UpdateChannel accepts', () => {
  const accepted: Record<string, Input> = {
    'a Name alone': { Name: 'Bells' },
    'a Mode alone': { Mode: 'UNRESTRICTED' },
    'Metadata alone': { Metadata: 'n' },
    'empty Metadata': { Metadata: '' },
    'all three': { Name: 'Bells', Mode: 'UNRESTRICTED', Metadata: 'n' },
    nothing: {},
    'a Name of 256 characters, each an emoji': { Name: '🔔'.repeat(256) },
    '1024 characters of Metadata, with a line break': { Metadata: `${'🔔'.repeat(1023)}\n` },
  }
  for (const [what, input] of Object.entries(accepted)) {
    test(`${what}, and keeps the rest`, async () => {
      const ChannelArn = await newChannel()
      const before = await describe(ChannelArn)
      clock.advance(100)
      assert.equal((await update(ChannelArn, input)).ChannelArn, ChannelArn)
      assert.deepEqual(await describe(ChannelArn), { ...before, ...input, LastUpdatedTimestamp: new Date(clock.now()) })
    })
  }

  test('moderators and admins, who need not be members', async () => {
    for (const ChimeBearer of [people.moderator, people.admin]) {
      const ChannelArn = await newChannel()
      await update(ChannelArn, { ChimeBearer, Name: 'Bells' })
      assert.equal((await describe(ChannelArn)).Name, 'Bells')
    }
  })
})

suite('UpdateChannel rejects', () => {
  const rejected: Record<string, [input: Input, text: string | RegExp]> = {
    'an empty Name': [{ Name: '' }, violation('name', 'have length greater than or equal to 1')],
    'a Name of 257 characters': [{ Name: 'n'.repeat(257) }, violation('name', 'have length less than or equal to 256')],
    'half of an emoji in the Name': [{ Name: '\ud83d' }, /'name' .* pattern/],
    '1025 characters of Metadata': [{ Metadata: 'm'.repeat(1025) }, /'metadata' .* less than or equal to 1024$/],
    'an unknown Mode': [
      { Mode: 'OPEN' as 'RESTRICTED' },
      violation('mode', 'satisfy enum value set: [UNRESTRICTED, RESTRICTED]'),
    ],
  }
  for (const [what, [input, text]] of Object.entries(rejected)) {
    test(what, () => assertRefused(update(people.channelArn, input), 'BadRequest', text))
  }

  test('members, HIDDEN members and strangers', async () => {
    const before = await describe(people.channelArn)
    for (const ChimeBearer of [people.member, people.hidden, people.stranger]) {
      await assertRefused(update(people.channelArn, { ChimeBearer, Name: 'Mine' }), 'Forbidden', noAccess)
    }
    assert.deepEqual(await describe(people.channelArn), before)
  })

  test('an unknown channel', () => assertRefused(update(`${people.channelArn}0`), 'Forbidden', noAccess))
})

suite('UpdateChannel', () => {
  test('sends every member the complete channel, and no other user', async () => {
    const ChannelArn = await newChannel()
    const ChannelFlowArn = await people.createFlow(['first'])
    await server.messaging.associateChannelFlow({ ChannelArn, ChannelFlowArn, ChimeBearer: owner })
    const told = await Promise.all([people.member, people.hidden, owner].map((user) => server.session(user)))
    const untold = await Promise.all([people.moderator, people.admin].map((user) => server.session(user)))
    const createdAt = new Date(clock.now())
    clock.advance(100)
    await update(ChannelArn, { Metadata: 'n' })
    await people.createChannel({ MemberArns: [people.moderator, people.admin] })
    for (const session of told) {
      const { eventType, messageType, payload } = await session.next()
      assert.deepEqual([eventType, messageType], ['UPDATE_CHANNEL', 'SYSTEM'])
      assert.deepEqual(payload, {
        ChannelArn,
        ...first,
        Metadata: 'n',
        ChannelFlowArn,
        CreatedBy: { Arn: owner, Name: 'owner' },
        CreatedTimestamp: createdAt.toISOString(),
        LastUpdatedTimestamp: new Date(clock.now()).toISOString(),
      })
    }
    for (const session of untold) assert.equal((await session.next()).eventType, 'CREATE_CHANNEL_MEMBERSHIP')
  })

  test('opens the channel to its members with another Mode, and closes it again', async () => {
    const ChannelArn = await newChannel()
    const invite = async (id: string) =>
      server.messaging.createChannelMembership({
        ChannelArn,
        ChimeBearer: people.member,
        MemberArn: await people.createUser(id),
        Type: 'DEFAULT',
      })
    await assertRefused(invite('too-early'), 'Forbidden', noAccess)
    await update(ChannelArn, { Mode: 'UNRESTRICTED' })
    await invite('in-time')
    await update(ChannelArn, { Mode: 'RESTRICTED' })
    await assertRefused(invite('too-late'), 'Forbidden', noAccess)
  })

  test('cannot change the Privacy', async () => {
    const ChannelArn = await newChannel()
    const body = { Privacy: 'PRIVATE', Name: 'Bells' }
    const { status } = await server.call('PUT', `/channels/${encodeURIComponent(ChannelArn)}`, { bearer: owner, body })
    const { Name, Privacy } = await describe(ChannelArn)
    assert.deepEqual([status, Name, Privacy], [200, 'Bells', 'PUBLIC'])
  })

  test('loses nothing when two change different things at once', async () => {
    const ChannelArn = await newChannel()
    await Promise.all([update(ChannelArn, { Name: 'Bells' }), update(ChannelArn, { Metadata: 'n' })])
    const { Name, Metadata } = await describe(ChannelArn)
    assert.deepEqual({ Name, Metadata }, { Name: 'Bells', Metadata: 'n' })
  })
})
