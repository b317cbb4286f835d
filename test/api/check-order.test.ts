import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { assertRowForEach, bearerOperations } from '../support/bearer-operations.ts'
import { populate } from '../support/population.ts'
import { assertRefused, invalidBearer, invalidUser, noAccess } from '../support/refusals.ts'
import { startTestServer } from '../support/running-server.ts'

/*
 * A call with several things wrong is rejected for the first of them: what the request says (400), who the bearer is
 * (401), what the bearer may (403), what is not there (404), what stands in the way (409).
 */

const server = await startTestServer()
const { messaging } = server
const people = await populate(server, { Privacy: 'PUBLIC' })
const others = await populate(server, { Privacy: 'PUBLIC' })
const { MessageId } = await people.send()

interface ChannelCall {
  ChannelArn: string
  ChimeBearer: string
}

/** The AppInstance of the channel, and the owner there, whether or not the channel is there. */
const appInstanceOf = (channelArn: string) => channelArn.split('/channel/')[0]!
const ownerOf = (channelArn: string) => `${appInstanceOf(channelArn)}/user/owner`

/** Every operation with a bearer. Each call is good if its channel and its bearer are. */
const calls: Record<string, (call: ChannelCall) => Promise<unknown>> = {
  CreateChannel: ({ ChannelArn, ChimeBearer }) =>
    messaging.createChannel({ AppInstanceArn: appInstanceOf(ChannelArn), ChimeBearer, Name: 'C' }),
  DescribeChannel: (call) => messaging.describeChannel(call),
  ListChannels: ({ ChannelArn, ChimeBearer }) =>
    messaging.listChannels({ AppInstanceArn: appInstanceOf(ChannelArn), ChimeBearer }),
  CreateChannelMembership: (call) =>
    messaging.createChannelMembership({ ...call, MemberArn: people.user('nobody'), Type: 'DEFAULT' }),
  BatchCreateChannelMembership: (call) =>
    messaging.batchCreateChannelMembership({ ...call, MemberArns: [people.user('nobody')] }),
  DeleteChannelMembership: (call) => messaging.deleteChannelMembership({ ...call, MemberArn: people.user('nobody') }),
  DescribeChannelMembership: (call) => messaging.describeChannelMembership({ ...call, MemberArn: people.member }),
  ListChannelMemberships: (call) => messaging.listChannelMemberships(call),
  ListChannelMembershipsForAppInstanceUser: ({ ChannelArn, ChimeBearer }) =>
    messaging.listChannelMembershipsForAppInstanceUser({ AppInstanceUserArn: ownerOf(ChannelArn), ChimeBearer }),
  UpdateChannelReadMarker: (call) => messaging.updateChannelReadMarker(call),
  CreateChannelModerator: (call) =>
    messaging.createChannelModerator({ ...call, ChannelModeratorArn: people.user('nobody') }),
  ListChannelModerators: (call) => messaging.listChannelModerators(call),
  ListChannelsModeratedByAppInstanceUser: ({ ChannelArn, ChimeBearer }) =>
    messaging.listChannelsModeratedByAppInstanceUser({ AppInstanceUserArn: ownerOf(ChannelArn), ChimeBearer }),
  DescribeChannelModerator: (call) =>
    messaging.describeChannelModerator({ ...call, ChannelModeratorArn: people.user('nobody') }),
  DeleteChannelModerator: (call) =>
    messaging.deleteChannelModerator({ ...call, ChannelModeratorArn: people.user('nobody') }),
  DescribeChannelModeratedByAppInstanceUser: (call) =>
    messaging.describeChannelModeratedByAppInstanceUser({ ...call, AppInstanceUserArn: ownerOf(call.ChannelArn) }),
  DescribeChannelMembershipForAppInstanceUser: (call) =>
    messaging.describeChannelMembershipForAppInstanceUser({ ...call, AppInstanceUserArn: ownerOf(call.ChannelArn) }),
  CreateChannelBan: (call) => messaging.createChannelBan({ ...call, MemberArn: people.user('nobody') }),
  DescribeChannelBan: (call) => messaging.describeChannelBan({ ...call, MemberArn: people.user('nobody') }),
  ListChannelBans: (call) => messaging.listChannelBans(call),
  DeleteChannelBan: (call) => messaging.deleteChannelBan({ ...call, MemberArn: people.user('nobody') }),
  SearchChannels: ({ ChannelArn, ChimeBearer }) =>
    messaging.searchChannels({
      ChimeBearer,
      Fields: [{ Key: 'MEMBERS', Values: [ownerOf(ChannelArn)], Operator: 'INCLUDES' }],
    }),
  SendChannelMessage: (call) => people.send(call),
  GetChannelMessage: (call) => messaging.getChannelMessage({ ...call, MessageId }),
  GetChannelMessageStatus: (call) => messaging.getChannelMessageStatus({ ...call, MessageId }),
  ListChannelMessages: (call) => messaging.listChannelMessages(call),
  UpdateChannelMessage: (call) => messaging.updateChannelMessage({ ...call, MessageId, Content: 'edited' }),
  RedactChannelMessage: (call) => messaging.redactChannelMessage({ ...call, MessageId }),
  DeleteChannelMessage: (call) => messaging.deleteChannelMessage({ ...call, MessageId }),
  UpdateChannel: (call) => messaging.updateChannel({ ...call, Name: 'Bells' }),
  PutChannelExpirationSettings: (call) => messaging.putChannelExpirationSettings(call),
  DeleteChannel: (call) => messaging.deleteChannel(call),
  AssociateChannelFlow: (call) =>
    messaging.associateChannelFlow({ ...call, ChannelFlowArn: `${people.appInstanceArn}/channel-flow/f` }),
  DisassociateChannelFlow: (call) =>
    messaging.disassociateChannelFlow({ ...call, ChannelFlowArn: `${people.appInstanceArn}/channel-flow/f` }),
}

/** Those that name a user of the channel's AppInstance: admins of another one learn that it is none of theirs. */
const aboutUser = [
  'ListChannelMembershipsForAppInstanceUser',
  'DescribeChannelMembershipForAppInstanceUser',
  'ListChannelsModeratedByAppInstanceUser',
  'DescribeChannelModeratedByAppInstanceUser',
  'SearchChannels',
]

test('every operation with a bearer has a row', () => assertRowForEach(Object.keys(calls), import.meta.filename))

const invalidBearers = {
  'is not an ARN': 'member',
  'is an unknown user': people.user('nobody'),
  'is an AppInstance': people.appInstanceArn,
  'is a channel': people.channelArn,
}

for (const { name, method, pathTemplate, literal, input } of bearerOperations) {
  const send = calls[name]
  // The test above fails for it.
  if (!send) continue
  suite(name, () => {
    const ChannelArn = people.channelArn
    const stranger = people.stranger

    if (input.required?.includes('ChimeBearer')) {
      test('without a bearer is a bad request', async () => {
        const path = pathTemplate.replace('{ChannelArn}', encodeURIComponent(ChannelArn)).replaceAll(/\{\w+\}/g, 'm')
        const answer = await server.call(method, literal ? `${path}?${literal.key}=${literal.value}` : path)
        assert.deepEqual([answer.status, answer.type, answer.body.Code], [400, 'BadRequestException', 'BadRequest'])
        assert.match(
          answer.body.Message,
          /Value at 'chimeBearer' failed to satisfy constraint: Member must not be null/,
        )
      })
    }

    if (Object.keys(input.properties).some((member) => member.endsWith('Arn'))) {
      test('of a malformed ARN is a BadRequest, for every caller', () => {
        const call = send({ ChannelArn: 'c/channel/c', ChimeBearer: 'member' })
        return assertRefused(call, 'BadRequest', /Arn' failed to satisfy/)
      })
    }

    for (const [problem, ChimeBearer] of Object.entries(invalidBearers)) {
      test(`with a bearer that ${problem} is Unauthorized, with any channel`, async () => {
        await assertRefused(send({ ChannelArn, ChimeBearer }), 'Unauthorized', invalidBearer)
        await assertRefused(send({ ChannelArn: `${ChannelArn}-unknown`, ChimeBearer }), 'Unauthorized', invalidBearer)
      })
    }

    test("in another AppInstance's channel is forbidden", async () => {
      const there = { ChannelArn, ChimeBearer: others.admin }
      const here = { ChannelArn: others.channelArn, ChimeBearer: people.admin }
      const text = aboutUser.includes(name) ? invalidUser : noAccess
      await assertRefused(send(there), 'Forbidden', text)
      await assertRefused(send(here), 'Forbidden', text)
    })

    if (!pathTemplate.includes('{ChannelArn}')) return
    test('in an unknown channel is as forbidden as where the bearer may not', async () => {
      const unknown = { ChannelArn: `${ChannelArn}-unknown`, ChimeBearer: stranger }
      await assertRefused(send(unknown), 'Forbidden', noAccess)
      await assertRefused(send({ ChannelArn: people.appInstanceArn, ChimeBearer: stranger }), 'Forbidden', noAccess)
    })
  })
}

suite('what is not there', () => {
  const namingOne = [
    'CreateChannelMembership',
    'DescribeChannelModerator',
    'DescribeChannelBan',
    'AssociateChannelFlow',
    'DisassociateChannelFlow',
  ]
  for (const operation of namingOne) {
    test(`is not found by who may ${operation}, and forbidden to everybody else`, async () => {
      const send = calls[operation]!
      const { channelArn: ChannelArn, moderator, stranger } = people
      await assertRefused(send({ ChannelArn, ChimeBearer: moderator }), 'NotFound')
      await assertRefused(send({ ChannelArn, ChimeBearer: stranger }), 'Forbidden', noAccess)
    })
  }
})

suite('before all that', () => {
  test('an operation that is not known is not found, signed or not', async () => {
    const response = await fetch(`${server.endpoint.http}/bells`)
    assert.deepEqual([response.status, response.headers.get('x-amzn-errortype')], [404, 'UnknownOperationException'])
  })

  test('a call without a signature is rejected, with any input', async () => {
    const response = await fetch(`${server.endpoint.http}/app-instances`, { method: 'POST', body: 'no JSON' })
    assert.deepEqual(
      [response.status, response.headers.get('x-amzn-errortype')],
      [403, 'MissingAuthenticationTokenException'],
    )
  })

  test('a body that is not JSON is a bad request', async () => {
    const answer = await server.call('POST', '/app-instances', { body: '{"Name":' })
    assert.deepEqual([answer.status, answer.type], [400, 'BadRequestException'])
  })
})
