import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { CreateChannelCommandInput } from '@aws-sdk/client-chime-sdk-messaging'
import { populate } from '../../support/population.ts'
import { assertRefused, invalidUser, noAccess, violation } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

type Input = Partial<CreateChannelCommandInput>

const server = await startTestServer()
const people = await populate(server)
const others = await populate(server)
const { appInstanceArn: AppInstanceArn, owner: ChimeBearer } = people
const guests = await Promise.all(Array.from({ length: 11 }, (_, index) => people.createUser(`guest-${index}`)))

const create = (input: Input = {}) =>
  server.messaging.createChannel({ AppInstanceArn, ChimeBearer, Name: 'Tower', ...input })
const describe = async (ChannelArn: string | undefined, bearer = ChimeBearer) =>
  (await server.messaging.describeChannel({ ChannelArn, ChimeBearer: bearer })).Channel
const membersOf = async (ChannelArn: string | undefined) => {
  const { ChannelMemberships } = await server.messaging.listChannelMemberships({ ChannelArn, ChimeBearer })
  return ChannelMemberships?.map(({ Member }) => Member?.Arn).sort()
}

suite('CreateChannel accepts', () => {
  const accepted: Record<string, Input> = {
    'a Name of 256 characters, each an emoji': { Name: '🔔'.repeat(256) },
    '1024 characters of Metadata, with a line break': { Metadata: `${'🔔'.repeat(1023)}\n` },
    'a ChannelId of one character': { ChannelId: 'c' },
    'a ChannelId of 64 characters': { ChannelId: 'c'.repeat(64) },
    'a ChannelId with every sign it may have': { ChannelId: 'a:b@c-d_e.f' },
    'ten MemberArns': { MemberArns: guests.slice(0, 10) },
    'ten ModeratorArns': { ModeratorArns: guests.slice(0, 10) },
    'its creator among the members and moderators': { MemberArns: [ChimeBearer], ModeratorArns: [ChimeBearer] },
    'a member named twice': { MemberArns: [people.member, people.member] },
    tags: { Tags: [{ Key: 'k', Value: 'v' }] },
  }
  for (const [what, input] of Object.entries(accepted)) {
    test(what, async () => {
      const { ChannelArn } = await create(input)
      assert.equal((await describe(ChannelArn))?.ChannelArn, ChannelArn)
    })
  }

  test('any user of the AppInstance as creator', async () => {
    const { ChannelArn } = await create({ ChimeBearer: people.stranger })
    assert.equal((await describe(ChannelArn, people.stranger))?.CreatedBy?.Arn, people.stranger)
  })
})

test('CreateChannel takes ExpirationSettings, which DescribeChannel shows', async () => {
  const ExpirationSettings = { ExpirationDays: 5475, ExpirationCriterion: 'LAST_MESSAGE_TIMESTAMP' } as const
  const { ChannelArn } = await create({ ExpirationSettings })
  assert.deepEqual((await describe(ChannelArn))?.ExpirationSettings, ExpirationSettings)
})

suite('CreateChannel rejects', () => {
  const elastic = { MaximumSubChannels: 2, TargetMembershipsPerSubChannel: 2, MinimumMembershipPercentage: 40 }
  const rejected: Record<string, [input: Input, text: string | RegExp]> = {
    'an empty Name': [{ Name: '' }, violation('name', 'have length greater than or equal to 1')],
    'a Name of 257 characters': [{ Name: 'n'.repeat(257) }, violation('name', 'have length less than or equal to 256')],
    'half of an emoji in the Name': [{ Name: '\ud83d' }, /'name' .* pattern/],
    '1025 characters of Metadata': [{ Metadata: 'm'.repeat(1025) }, /'metadata' .* less than or equal to 1024/],
    'a ChannelId of 65 characters': [{ ChannelId: 'c'.repeat(65) }, /'channelId' .* less than or equal to 64/],
    'a ChannelId with a slash': [{ ChannelId: 'a/b' }, /'channelId' .* pattern/],
    'an unknown Mode': [
      { Mode: 'OPEN' as 'RESTRICTED' },
      violation('mode', 'satisfy enum value set: [UNRESTRICTED, RESTRICTED]'),
    ],
    'an empty list of MemberArns': [{ MemberArns: [] }, /'memberArns' .* greater than or equal to 1/],
    'eleven MemberArns': [{ MemberArns: guests }, violation('memberArns', 'have length less than or equal to 10')],
    'eleven ModeratorArns': [{ ModeratorArns: guests }, /'moderatorArns' .* less than or equal to 10/],
    'a malformed MemberArn': [{ MemberArns: [people.member, 'ann'] }, /'memberArns\.2\.member'/],
    'elastic channels, which it does not have': [{ ElasticChannelConfiguration: elastic }, /elastic/],
    'a channel that expires after 5,476 days': [
      { ExpirationSettings: { ExpirationDays: 5476, ExpirationCriterion: 'CREATED_TIMESTAMP' } },
      /'expirationSettings\.expirationDays' .* less than or equal to 5475/,
    ],
    'a tag of ours that it does not know': [{ Tags: [{ Key: 'carillon:x', Value: 'y' }] }, /carillon:x is not known/],
  }
  for (const [what, [input, text]] of Object.entries(rejected)) {
    test(what, () => assertRefused(create(input), 'BadRequest', text))
  }

  test('a ChannelId that is taken', async () => {
    await create({ ChannelId: 'taken' })
    await assertRefused(create({ ChannelId: 'taken', Name: 'Other' }), 'Conflict', /ChannelId exists already/)
  })

  test('members and moderators that are no users of the AppInstance', async () => {
    for (const arn of [people.user('nobody'), others.member, people.channelArn]) {
      await assertRefused(create({ MemberArns: [arn] }), 'Forbidden', invalidUser)
      await assertRefused(create({ ModeratorArns: [arn] }), 'Forbidden', invalidUser)
    }
  })

  test('an unknown AppInstance', () =>
    assertRefused(create({ AppInstanceArn: `${AppInstanceArn}0` }), 'Forbidden', noAccess))

  test('the whole channel, when only one of its members is wrong', async () => {
    const ChannelId = 'whole'
    await assertRefused(create({ ChannelId, MemberArns: [people.member, people.user('nobody')] }), 'Forbidden')
    await assertRefused(describe(`${AppInstanceArn}/channel/${ChannelId}`), 'Forbidden')
    await create({ ChannelId })
  })
})

suite('CreateChannel', () => {
  test('returns an ARN with the ChannelId in it, or with a UUID', async () => {
    assert.equal((await create({ ChannelId: 'tower@1' })).ChannelArn, `${AppInstanceArn}/channel/tower@1`)
    assert.match((await create()).ChannelArn!, /\/channel\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  })

  test('makes it RESTRICTED and PRIVATE unless told otherwise', async () => {
    const { ChannelArn } = await create()
    const { Mode, Privacy } = (await describe(ChannelArn))!
    assert.deepEqual({ Mode, Privacy }, { Mode: 'RESTRICTED', Privacy: 'PRIVATE' })
  })

  test('makes its creator a member and a moderator', async () => {
    const { ChannelArn } = await create()
    assert.deepEqual(await membersOf(ChannelArn), [ChimeBearer])
    await server.messaging.listChannelMemberships({ ChannelArn, ChimeBearer, Type: 'HIDDEN' })
  })

  test('makes members of the MemberArns, and moderators that are no members of the ModeratorArns', async () => {
    const { ChannelArn } = await create({ MemberArns: [people.member], ModeratorArns: [people.moderator] })
    assert.deepEqual(await membersOf(ChannelArn), [people.member, ChimeBearer].sort())
    const asHidden = (bearer: string) =>
      server.messaging.listChannelMemberships({ ChannelArn, ChimeBearer: bearer, Type: 'HIDDEN' })
    await asHidden(people.moderator)
    await assertRefused(asHidden(people.member), 'Forbidden')
  })

  test('tells every member of it, and of the members after it', async () => {
    const sessions = [await server.session(ChimeBearer), await server.session(people.member)] as const
    const { ChannelArn } = await create({ MemberArns: [people.member] })
    const news = async (session: (typeof sessions)[number]) => {
      const { eventType, payload } = await session.next()
      const { ChannelArn: channel, Member, InvitedBy, Type } = payload as Record<string, { Arn: string }>
      return { eventType, channel, member: Member?.Arn, by: InvitedBy?.Arn, Type }
    }
    const common = { eventType: 'CREATE_CHANNEL_MEMBERSHIP', channel: ChannelArn, by: ChimeBearer, Type: 'DEFAULT' }
    assert.deepEqual(await news(sessions[0]), { ...common, member: ChimeBearer })
    assert.deepEqual(await news(sessions[0]), { ...common, member: people.member })
    assert.deepEqual(await news(sessions[1]), { ...common, member: people.member })
  })
})
