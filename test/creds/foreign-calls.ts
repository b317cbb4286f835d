interface Names {
  appInstance: string
  ann: string
  bob: string
  /** A channel of both. */
  channel: string
}

type Input = [operation: string, input: object]

const elsewhere = 'arn:aws:chime:us-east-1:111122223333:app-instance/00000000-0000-4000-8000-000000000000'
const MessageId = '0'.repeat(64)

/** What a key for Ann must not permit: calls on behalf of Bob, or that no user's key may make. */
export const foreignCalls = (names: Names) => [
  ...[...callsOnMessages(names), ...callsOnChannels(names), ...callsOnMembers(names), ...otherCalls(names)].map(
    ([operation, input]) => ['messaging', operation, input] as const,
  ),
  ...callsOfIdentity(names).map(([operation, input]) => ['identity', operation, input] as const),
]

function callsOnMessages({ bob, channel }: Names): Input[] {
  const inChannel = { ChimeBearer: bob, ChannelArn: channel }
  const message = { Content: 'I am Bob', Type: 'STANDARD', Persistence: 'PERSISTENT' }
  return [
    ['sendChannelMessage', { ...inChannel, ...message }],
    ['sendChannelMessage', { ChimeBearer: `${elsewhere}/user/ann`, ChannelArn: channel, ...message }],
    ['getChannelMessage', { ...inChannel, MessageId }],
    ['listChannelMessages', inChannel],
    ['updateChannelMessage', { ...inChannel, MessageId, Content: 'I am Bob' }],
    ['redactChannelMessage', { ...inChannel, MessageId }],
    ['deleteChannelMessage', { ...inChannel, MessageId }],
    ['getChannelMessageStatus', { ...inChannel, MessageId }],
    ['updateChannelReadMarker', inChannel],
    ['channelFlowCallback', { CallbackId: '0'.repeat(32), ChannelArn: channel, ChannelMessage: { MessageId } }],
  ]
}

function callsOnChannels({ appInstance: AppInstanceArn, ann, bob, channel }: Names): Input[] {
  const asBob = { ChimeBearer: bob }
  const inChannel = { ...asBob, ChannelArn: channel }
  const ExpirationSettings = { ExpirationDays: 1, ExpirationCriterion: 'CREATED_TIMESTAMP' }
  return [
    ['createChannel', { ...asBob, AppInstanceArn, Name: 'Mine' }],
    ['createChannel', { ChimeBearer: ann, AppInstanceArn: elsewhere, Name: 'Mine' }],
    ['describeChannel', inChannel],
    ['describeChannel', { ChimeBearer: ann, ChannelArn: `${elsewhere}/channel/0` }],
    ['updateChannel', { ...inChannel, Name: 'Other' }],
    ['deleteChannel', inChannel],
    ['listChannels', { ...asBob, AppInstanceArn }],
    ['listChannels', { ChimeBearer: ann, AppInstanceArn: elsewhere }],
    ['searchChannels', { ...asBob, Fields: [{ Key: 'MEMBERS', Values: [bob], Operator: 'INCLUDES' }] }],
    ['putChannelExpirationSettings', { ...inChannel, ExpirationSettings }],
    ['associateChannelFlow', { ...inChannel, ChannelFlowArn: `${AppInstanceArn}/channel-flow/0` }],
    ['disassociateChannelFlow', { ...inChannel, ChannelFlowArn: `${AppInstanceArn}/channel-flow/0` }],
  ]
}

function callsOnMembers({ ann, bob, channel }: Names): Input[] {
  const asBob = { ChimeBearer: bob }
  const inChannel = { ...asBob, ChannelArn: channel }
  const ofBob = { AppInstanceUserArn: bob }
  return [
    ['createChannelMembership', { ...inChannel, MemberArn: ann, Type: 'DEFAULT' }],
    ['batchCreateChannelMembership', { ...inChannel, MemberArns: [ann] }],
    ['describeChannelMembership', { ...inChannel, MemberArn: bob }],
    ['listChannelMemberships', inChannel],
    ['deleteChannelMembership', { ...inChannel, MemberArn: bob }],
    ['listChannelMembershipsForAppInstanceUser', { ...asBob, ...ofBob }],
    ['listChannelMembershipsForAppInstanceUser', asBob],
    ['describeChannelMembershipForAppInstanceUser', { ...inChannel, ...ofBob }],
    ['createChannelModerator', { ...inChannel, ChannelModeratorArn: ann }],
    ['describeChannelModerator', { ...inChannel, ChannelModeratorArn: bob }],
    ['listChannelModerators', inChannel],
    ['deleteChannelModerator', { ...inChannel, ChannelModeratorArn: bob }],
    ['listChannelsModeratedByAppInstanceUser', { ...asBob, ...ofBob }],
    ['describeChannelModeratedByAppInstanceUser', { ...inChannel, ...ofBob }],
    ['createChannelBan', { ...inChannel, MemberArn: ann }],
    ['describeChannelBan', { ...inChannel, MemberArn: ann }],
    ['listChannelBans', inChannel],
    ['deleteChannelBan', { ...inChannel, MemberArn: ann }],
  ]
}

function otherCalls({ appInstance: AppInstanceArn, channel }: Names): Input[] {
  const ResourceArn = 'arn:aws:lambda:us-east-1:111122223333:function:first'
  const Configuration = { Lambda: { ResourceArn, InvocationType: 'ASYNC' } }
  const Processors = [{ Name: 'first', ExecutionOrder: 1, FallbackAction: 'ABORT', Configuration }]
  return [
    ['createChannelFlow', { AppInstanceArn, Name: 'Mine', Processors, ClientRequestToken: 'token' }],
    ['deleteChannelFlow', { ChannelFlowArn: `${AppInstanceArn}/channel-flow/0` }],
    ['listTagsForResource', { ResourceARN: channel }],
    ['tagResource', { ResourceARN: channel, Tags: [{ Key: 'a', Value: 'b' }] }],
  ]
}

function callsOfIdentity({ appInstance: AppInstanceArn, ann, bob }: Names): Input[] {
  const user = { AppInstanceUserId: 'eve', Name: 'Eve', ClientRequestToken: 'token' }
  return [
    ['createAppInstanceUser', { AppInstanceArn, ...user }],
    ['updateAppInstanceUser', { AppInstanceUserArn: bob, Name: 'Other', Metadata: '' }],
    ['deleteAppInstanceUser', { AppInstanceUserArn: bob }],
    ['listAppInstanceUsers', { AppInstanceArn: elsewhere }],
    ['createAppInstanceAdmin', { AppInstanceArn, AppInstanceAdminArn: ann }],
    ['listAppInstances', {}],
    ['createAppInstance', { Name: 'Mine', ClientRequestToken: 'token' }],
    ['deleteAppInstance', { AppInstanceArn }],
  ]
}
