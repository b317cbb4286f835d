import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { assertRowForEach } from '../support/bearer-operations.ts'
import { type Population, populate, type Role, roles } from '../support/population.ts'
import { outcomeOf } from '../support/refusals.ts'
import { startTestServer } from '../support/running-server.ts'

/*
 * AWS's developer guide, "Authorization by role", as a table: for every operation that has a bearer, who may in which kind
 * of channel.
 */

interface Kind {
  Privacy: 'PUBLIC' | 'PRIVATE'
  Mode: 'RESTRICTED' | 'UNRESTRICTED'
}

const kinds: Kind[] = [
  { Privacy: 'PUBLIC', Mode: 'RESTRICTED' },
  { Privacy: 'PUBLIC', Mode: 'UNRESTRICTED' },
  { Privacy: 'PRIVATE', Mode: 'RESTRICTED' },
  { Privacy: 'PRIVATE', Mode: 'UNRESTRICTED' },
]

interface Row {
  /** Begins with the operation's name. */
  does: string
  may(kind: Kind): readonly Role[]
  call(people: Population, ChimeBearer: string, kind: Kind): Promise<unknown>
}

const moderating: Role[] = ['admin', 'moderator']
const belonging: Role[] = [...moderating, 'member', 'hidden']
const seeing = ({ Privacy }: Kind) => (Privacy === 'PUBLIC' ? roles : belonging)

const server = await startTestServer()
const { messaging } = server
let newcomers = 0
const newcomer = (people: Population) => people.createUser(`newcomer-${++newcomers}`)

/** The user of these people with the same id: the bearer itself, or another if the bearer is of another AppInstance. */
const namesake = (people: Population, arn: string) => people.user(arn.split('/user/')[1]!)

const table: Row[] = [
  {
    does: 'CreateChannel',
    may: () => roles,
    call: ({ appInstanceArn: AppInstanceArn }, ChimeBearer) =>
      messaging.createChannel({ AppInstanceArn, ChimeBearer, Name: 'Belfry' }),
  },
  {
    does: 'DescribeChannel',
    may: seeing,
    call: ({ channelArn: ChannelArn }, ChimeBearer) => messaging.describeChannel({ ChannelArn, ChimeBearer }),
  },
  {
    does: 'ListChannels',
    may: () => roles,
    call: ({ appInstanceArn: AppInstanceArn }, ChimeBearer) => messaging.listChannels({ AppInstanceArn, ChimeBearer }),
  },
  {
    does: 'ListChannels that are PRIVATE',
    may: () => ['admin'],
    call: ({ appInstanceArn: AppInstanceArn }, ChimeBearer) =>
      messaging.listChannels({ AppInstanceArn, ChimeBearer, Privacy: 'PRIVATE' }),
  },
  {
    does: 'DescribeChannelMembership',
    may: seeing,
    call: ({ channelArn: ChannelArn, owner: MemberArn }, ChimeBearer) =>
      messaging.describeChannelMembership({ ChannelArn, MemberArn, ChimeBearer }),
  },
  {
    does: "ListChannelMembershipsForAppInstanceUser of one's own",
    may: () => roles,
    call: (people, ChimeBearer) =>
      messaging.listChannelMembershipsForAppInstanceUser({
        ChimeBearer,
        AppInstanceUserArn: namesake(people, ChimeBearer),
      }),
  },
  {
    does: 'ListChannelMembershipsForAppInstanceUser of another user',
    may: () => ['admin'],
    call: ({ owner: AppInstanceUserArn }, ChimeBearer) =>
      messaging.listChannelMembershipsForAppInstanceUser({ ChimeBearer, AppInstanceUserArn }),
  },
  {
    does: 'UpdateChannelReadMarker',
    may: () => ['member', 'hidden'],
    call: ({ channelArn: ChannelArn }, ChimeBearer) => messaging.updateChannelReadMarker({ ChannelArn, ChimeBearer }),
  },
  {
    does: 'CreateChannelModerator',
    may: () => moderating,
    call: async (people, ChimeBearer) =>
      messaging.createChannelModerator({
        ChannelArn: people.channelArn,
        ChimeBearer,
        ChannelModeratorArn: await newcomer(people),
      }),
  },
  {
    does: 'ListChannelModerators',
    may: () => moderating,
    call: ({ channelArn: ChannelArn }, ChimeBearer) => messaging.listChannelModerators({ ChannelArn, ChimeBearer }),
  },
  {
    does: "ListChannelsModeratedByAppInstanceUser of one's own",
    may: () => roles,
    call: (people, ChimeBearer) =>
      messaging.listChannelsModeratedByAppInstanceUser({
        ChimeBearer,
        AppInstanceUserArn: namesake(people, ChimeBearer),
      }),
  },
  {
    does: 'ListChannelsModeratedByAppInstanceUser of another user',
    may: () => ['admin'],
    call: ({ owner: AppInstanceUserArn }, ChimeBearer) =>
      messaging.listChannelsModeratedByAppInstanceUser({ ChimeBearer, AppInstanceUserArn }),
  },
  {
    does: 'ListChannelMemberships',
    may: seeing,
    call: ({ channelArn: ChannelArn }, ChimeBearer) => messaging.listChannelMemberships({ ChannelArn, ChimeBearer }),
  },
  {
    does: 'ListChannelMemberships of HIDDEN members',
    may: () => moderating,
    call: ({ channelArn: ChannelArn }, ChimeBearer) =>
      messaging.listChannelMemberships({ ChannelArn, ChimeBearer, Type: 'HIDDEN' }),
  },
  {
    does: 'CreateChannelMembership of another user',
    may: ({ Mode }) => (Mode === 'UNRESTRICTED' ? [...moderating, 'member'] : moderating),
    call: async (people, ChimeBearer) =>
      messaging.createChannelMembership({
        ChannelArn: people.channelArn,
        ChimeBearer,
        MemberArn: await newcomer(people),
        Type: 'DEFAULT',
      }),
  },
  {
    does: 'CreateChannelMembership of a HIDDEN member',
    may: () => moderating,
    call: async (people, ChimeBearer) =>
      messaging.createChannelMembership({
        ChannelArn: people.channelArn,
        ChimeBearer,
        MemberArn: await newcomer(people),
        Type: 'HIDDEN',
      }),
  },
  {
    does: 'BatchCreateChannelMembership of others',
    may: ({ Mode }) => (Mode === 'UNRESTRICTED' ? [...moderating, 'member'] : moderating),
    call: async (people, ChimeBearer) => {
      const MemberArns = [await newcomer(people), await newcomer(people)]
      await messaging.batchCreateChannelMembership({ ChannelArn: people.channelArn, ChimeBearer, MemberArns })
    },
  },
  {
    does: 'BatchCreateChannelMembership of HIDDEN members',
    may: () => moderating,
    call: async (people, ChimeBearer) => {
      const { channelArn: ChannelArn } = people
      const MemberArns = [await newcomer(people)]
      await messaging.batchCreateChannelMembership({ ChannelArn, ChimeBearer, MemberArns, Type: 'HIDDEN' })
    },
  },
  {
    does: 'DeleteChannelMembership of another user',
    may: ({ Mode }) => (Mode === 'UNRESTRICTED' ? [...moderating, 'member'] : moderating),
    call: async (people, ChimeBearer) => {
      const { channelArn: ChannelArn, owner } = people
      const MemberArn = await newcomer(people)
      await messaging.createChannelMembership({ ChannelArn, ChimeBearer: owner, MemberArn, Type: 'DEFAULT' })
      await messaging.deleteChannelMembership({ ChannelArn, ChimeBearer, MemberArn })
    },
  },
  {
    does: "DeleteChannelMembership of one's own membership",
    may: () => roles,
    call: async ({ channelArn: ChannelArn, owner, member, hidden }, ChimeBearer) => {
      const Type = ChimeBearer === hidden ? 'HIDDEN' : 'DEFAULT'
      const wasMember = ChimeBearer === member || ChimeBearer === hidden
      const join = () =>
        messaging.createChannelMembership({ ChannelArn, ChimeBearer: owner, MemberArn: ChimeBearer, Type })
      if (!wasMember) await join()
      await messaging.deleteChannelMembership({ ChannelArn, ChimeBearer, MemberArn: ChimeBearer })
      if (wasMember) await join()
    },
  },
  {
    does: "DescribeChannelMembershipForAppInstanceUser of one's own membership",
    may: () => ['member', 'hidden'],
    call: (people, ChimeBearer) => {
      const AppInstanceUserArn = namesake(people, ChimeBearer)
      const { channelArn: ChannelArn } = people
      return messaging.describeChannelMembershipForAppInstanceUser({ ChannelArn, AppInstanceUserArn, ChimeBearer })
    },
  },
  {
    does: "DescribeChannelMembershipForAppInstanceUser of another user's membership",
    may: () => ['admin'],
    call: ({ channelArn: ChannelArn, owner: AppInstanceUserArn }, ChimeBearer) =>
      messaging.describeChannelMembershipForAppInstanceUser({ ChannelArn, AppInstanceUserArn, ChimeBearer }),
  },
  {
    does: 'DescribeChannelModeratedByAppInstanceUser of oneself',
    may: () => ['moderator'],
    call: (people, ChimeBearer) => {
      const AppInstanceUserArn = namesake(people, ChimeBearer)
      const { channelArn: ChannelArn } = people
      return messaging.describeChannelModeratedByAppInstanceUser({ ChannelArn, AppInstanceUserArn, ChimeBearer })
    },
  },
  {
    does: 'DescribeChannelModeratedByAppInstanceUser of another user',
    may: () => ['admin'],
    call: ({ channelArn: ChannelArn, owner: AppInstanceUserArn }, ChimeBearer) =>
      messaging.describeChannelModeratedByAppInstanceUser({ ChannelArn, AppInstanceUserArn, ChimeBearer }),
  },
  {
    does: 'DescribeChannelModerator',
    may: () => moderating,
    call: ({ channelArn: ChannelArn, owner: ChannelModeratorArn }, ChimeBearer) =>
      messaging.describeChannelModerator({ ChannelArn, ChannelModeratorArn, ChimeBearer }),
  },
  {
    does: 'DeleteChannelModerator',
    may: () => moderating,
    call: async (people, ChimeBearer) => {
      const { channelArn: ChannelArn, owner } = people
      const ChannelModeratorArn = await newcomer(people)
      await messaging.createChannelModerator({ ChannelArn, ChannelModeratorArn, ChimeBearer: owner })
      await messaging.deleteChannelModerator({ ChannelArn, ChannelModeratorArn, ChimeBearer })
    },
  },
  {
    does: 'CreateChannelBan',
    may: () => moderating,
    call: async (people, ChimeBearer) =>
      messaging.createChannelBan({ ChannelArn: people.channelArn, MemberArn: await newcomer(people), ChimeBearer }),
  },
  {
    does: 'DescribeChannelBan',
    may: () => moderating,
    call: async (people, ChimeBearer) => {
      const ban = { ChannelArn: people.channelArn, MemberArn: await newcomer(people) }
      await messaging.createChannelBan({ ...ban, ChimeBearer: people.owner })
      await messaging.describeChannelBan({ ...ban, ChimeBearer })
    },
  },
  {
    does: 'ListChannelBans',
    may: () => moderating,
    call: ({ channelArn: ChannelArn }, ChimeBearer) => messaging.listChannelBans({ ChannelArn, ChimeBearer }),
  },
  {
    does: 'DeleteChannelBan',
    may: () => moderating,
    call: async (people, ChimeBearer) => {
      const ban = { ChannelArn: people.channelArn, MemberArn: await newcomer(people) }
      await messaging.createChannelBan({ ...ban, ChimeBearer: people.owner })
      await messaging.deleteChannelBan({ ...ban, ChimeBearer })
    },
  },
  {
    does: 'SearchChannels',
    may: () => roles,
    call: ({ owner }, ChimeBearer) =>
      messaging.searchChannels({ ChimeBearer, Fields: [{ Key: 'MEMBERS', Values: [owner], Operator: 'INCLUDES' }] }),
  },
  {
    does: 'PutChannelExpirationSettings',
    may: () => moderating,
    call: ({ channelArn: ChannelArn }, ChimeBearer) =>
      messaging.putChannelExpirationSettings({
        ChannelArn,
        ChimeBearer,
        ExpirationSettings: { ExpirationDays: 1, ExpirationCriterion: 'CREATED_TIMESTAMP' },
      }),
  },
  {
    does: 'SendChannelMessage',
    may: () => ['member'],
    call: (people, ChimeBearer) => people.send({ ChimeBearer }),
  },
  {
    does: 'GetChannelMessage',
    may: seeing,
    call: async (people, ChimeBearer) => {
      const { MessageId } = await people.send({ ChimeBearer: people.owner })
      await people.read(MessageId, ChimeBearer)
    },
  },
  {
    does: 'ListChannelMessages',
    may: seeing,
    call: ({ channelArn: ChannelArn }, ChimeBearer) => messaging.listChannelMessages({ ChannelArn, ChimeBearer }),
  },
  {
    does: "GetChannelMessageStatus of another user's message",
    may: () => [],
    call: async (people, ChimeBearer) => {
      const { MessageId } = await people.send({ ChimeBearer: people.owner })
      await messaging.getChannelMessageStatus({ ChannelArn: people.channelArn, MessageId, ChimeBearer })
    },
  },
  {
    does: "UpdateChannelMessage of one's own message",
    may: () => ['member'],
    call: async (people, ChimeBearer) => {
      const { MessageId } = await people.send({ ChimeBearer })
      await people.update(MessageId, { ChimeBearer })
    },
  },
  {
    does: "UpdateChannelMessage of another user's message",
    may: () => [],
    call: async (people, ChimeBearer) => {
      const { MessageId } = await people.send({ ChimeBearer: people.owner })
      await people.update(MessageId, { ChimeBearer })
    },
  },
  {
    does: "RedactChannelMessage of one's own message",
    may: () => ['member'],
    call: async (people, ChimeBearer) => people.redact((await people.send({ ChimeBearer })).MessageId, ChimeBearer),
  },
  {
    does: "RedactChannelMessage of another user's message",
    may: () => moderating,
    call: async (people, ChimeBearer) => {
      const { MessageId } = await people.send({ ChimeBearer: people.owner })
      await people.redact(MessageId, ChimeBearer)
    },
  },
  {
    does: 'DeleteChannelMessage',
    may: () => ['admin'],
    call: async (people, ChimeBearer) => {
      const { MessageId } = await people.send({
        ChimeBearer: ChimeBearer === people.member ? ChimeBearer : people.owner,
      })
      await people.delete(MessageId, ChimeBearer)
    },
  },
  {
    does: 'UpdateChannel',
    may: () => moderating,
    call: ({ channelArn: ChannelArn }, ChimeBearer) =>
      messaging.updateChannel({ ChannelArn, ChimeBearer, Name: 'Bells' }),
  },
  {
    does: 'DeleteChannel',
    may: () => moderating,
    call: async (people, ChimeBearer, kind) =>
      messaging.deleteChannel({ ChannelArn: await people.createChannel(kind), ChimeBearer }),
  },
  {
    does: 'AssociateChannelFlow',
    may: () => moderating,
    call: async (people, ChimeBearer, kind) => {
      const ChannelArn = await people.createChannel(kind)
      const ChannelFlowArn = await people.createFlow(['first'])
      await messaging.associateChannelFlow({ ChannelArn, ChannelFlowArn, ChimeBearer })
    },
  },
  {
    does: 'DisassociateChannelFlow',
    may: () => moderating,
    call: async (people, ChimeBearer, kind) => {
      const ChannelArn = await people.createChannel(kind)
      const ChannelFlowArn = await people.createFlow(['first'])
      await messaging.associateChannelFlow({ ChannelArn, ChannelFlowArn, ChimeBearer: people.owner })
      await messaging.disassociateChannelFlow({ ChannelArn, ChannelFlowArn, ChimeBearer })
    },
  },
]

const foreigner = (await populate(server)).owner

test('every operation with a bearer has a row', () =>
  assertRowForEach(
    table.map(({ does }) => does.split(' ')[0]!),
    import.meta.filename,
  ))

for (const kind of kinds) {
  suite(`in a channel that is ${kind.Privacy} and ${kind.Mode}`, async () => {
    const people = await populate(server, kind)
    for (const { does, may, call } of table) {
      const allowed = may(kind)
      test(`${does} is for ${allowed.join(', ') || 'nobody'}`, async () => {
        for (const role of roles) {
          const expected = allowed.includes(role) ? 'accepted' : 'Forbidden'
          assert.equal(await outcomeOf(call(people, people[role], kind)), expected, role)
        }
        assert.equal(await outcomeOf(call(people, foreigner, kind)), 'Forbidden', 'a user of another AppInstance')
      })
    }
  })
}
