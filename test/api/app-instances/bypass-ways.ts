import type { Credentials } from '../../../src/keys/key.ts'
import { type Population, processor } from '../../support/population.ts'

/*
 * The ways round carillon:required-flow that were thought of, each as one call. The AppInstance also has
 * carillon:control-messages = refuse and carillon:channel-text = operators.
 */

/** The text of every call. No member may ever receive it. */
export const smuggled = 'smuggled'

/** A channel that is older than the requirement, in which the bearer has as many roles as it can have. */
interface Place {
  ChannelArn: string
  /** Of the bearer, SENT before the requirement. */
  messageId: string
  controlId: string
}

/** Somebody who tries it: a key, and the user on whose behalf it calls. */
export interface Caller {
  people: Population
  bearer: string
  credentials: Credentials
  place: Place
  /** The required flow, one that is not required, and one of another AppInstance. */
  flow: string
  other: string
  foreign: string
  /** A message of the bearer that the required flow holds. */
  held: { MessageId: string; CallbackId: string }
}

interface Call {
  method: string
  target: string
  body?: object
  /** On behalf of the bearer. */
  bears?: true
}

interface Way extends Call {
  /**
   * What the call of a user's key leads to: the required flow holds the text, or an error. `AccessDenied`: no key of a user
   * may call it; `Forbidden`: this call is refused; `BadRequest`: the server does not have it.
   */
  users: 'held' | 'AccessDenied' | 'Forbidden' | 'BadRequest'
}

const encode = encodeURIComponent
const bears = true as const

export function waysOf(caller: Caller): Record<string, Way> {
  return {
    ...flowWays(caller),
    ...tagWays(caller),
    ...messageWays(caller),
    ...channelWays(caller),
    ...otherWays(caller),
  }
}

/** Calls with a bearer are refused by what the AppInstance requires, all others by the kind of the key. */
const refused = (ways: Record<string, Call>): Record<string, Way> =>
  Object.fromEntries(
    Object.entries(ways).map(([name, call]) => [name, { ...call, users: call.bears ? 'Forbidden' : 'AccessDenied' }]),
  )

function flowWays({ people, place, flow, other, foreign }: Caller): Record<string, Way> {
  const association = `/channels/${encode(place.ChannelArn)}/channel-flow`
  const Processors = [processor('second')]
  const ways = refused({
    'DisassociateChannelFlow of the required flow': {
      method: 'DELETE',
      target: `${association}/${encode(flow)}`,
      bears,
    },
    'DisassociateChannelFlow of another flow': { method: 'DELETE', target: `${association}/${encode(other)}`, bears },
    'AssociateChannelFlow with another flow': {
      method: 'PUT',
      target: association,
      body: { ChannelFlowArn: other },
      bears,
    },
    'DeleteChannelFlow of the required flow': { method: 'DELETE', target: `/channel-flows/${encode(flow)}` },
    UpdateChannelFlow: { method: 'PUT', target: `/channel-flows/${encode(flow)}`, body: { Name: 'x', Processors } },
    CreateChannelFlow: {
      method: 'POST',
      target: '/channel-flows',
      body: { AppInstanceArn: people.appInstanceArn, Name: 'x', Processors, ClientRequestToken: 'token' },
    },
  })
  const ofAnother = { method: 'PUT', target: association, body: { ChannelFlowArn: foreign }, bears }
  return { ...ways, 'AssociateChannelFlow with a flow of another AppInstance': { ...ofAnother, users: 'AccessDenied' } }
}

function tagWays({ people, place, flow, other }: Caller): Record<string, Way> {
  const tag = (ResourceARN: string, Key: string, Value: string) => ({
    method: 'POST',
    target: '/tags?operation=tag-resource',
    body: { ResourceARN, Tags: [{ Key, Value }] },
  })
  const untag = (ResourceARN: string, Key: string) => ({
    method: 'POST',
    target: '/tags?operation=untag-resource',
    body: { ResourceARN, TagKeys: [Key] },
  })
  const { appInstanceArn } = people
  return refused({
    'UntagResource of the AppInstance': untag(appInstanceArn, 'carillon:required-flow'),
    'TagResource with another required flow': tag(appInstanceArn, 'carillon:required-flow', other),
    'TagResource with a default flow': tag(appInstanceArn, 'carillon:default-flow', other),
    'TagResource: CONTROL messages pass': tag(appInstanceArn, 'carillon:control-messages', 'pass'),
    'TagResource: texts of channels pass': tag(appInstanceArn, 'carillon:channel-text', 'pass'),
    'TagResource of the flow': tag(flow, 'carillon:deadline', '100ms'),
    'UntagResource of the flow': untag(flow, 'carillon:deadline'),
    'TagResource of the channel': tag(place.ChannelArn, 'name', smuggled),
    'UntagResource of the channel': untag(place.ChannelArn, 'name'),
  })
}

function messageWays({ people, bearer, place }: Caller): Record<string, Way> {
  const messages = `/channels/${encode(place.ChannelArn)}/messages`
  const send = (given: object): Way => ({
    method: 'POST',
    target: messages,
    body: { Content: smuggled, Type: 'STANDARD', Persistence: 'PERSISTENT', ...given },
    bears,
    users: 'held',
  })
  const control = (Persistence: string): Way => ({
    ...send({ Type: 'CONTROL', Persistence, ContentType: smuggled }),
    users: 'Forbidden',
  })
  const edit = (messageId: string, users: Way['users']): Way => ({
    method: 'PUT',
    target: `${messages}/${encode(messageId)}`,
    body: { Content: smuggled },
    bears,
    users,
  })
  const target = bearer === people.member ? people.owner : people.member
  return {
    SendChannelMessage: send({}),
    'SendChannelMessage, NON_PERSISTENT': send({ Persistence: 'NON_PERSISTENT' }),
    'SendChannelMessage, targeted': send({ Target: [{ MemberArn: target }] }),
    'SendChannelMessage, NON_PERSISTENT and targeted': send({
      Persistence: 'NON_PERSISTENT',
      Target: [{ MemberArn: bearer }],
    }),
    'SendChannelMessage with every member': send({
      Metadata: smuggled,
      ContentType: smuggled,
      MessageAttributes: { [smuggled]: { StringValues: [smuggled] } },
      PushNotification: { Title: smuggled, Body: smuggled, Type: 'DEFAULT' },
    }),
    'SendChannelMessage into a sub-channel': { ...send({ SubChannelId: 'x' }), users: 'BadRequest' },
    'SendChannelMessage, CONTROL': control('PERSISTENT'),
    'SendChannelMessage, CONTROL and NON_PERSISTENT': control('NON_PERSISTENT'),
    'UpdateChannelMessage of a message that was SENT before': edit(place.messageId, 'held'),
    'UpdateChannelMessage of a CONTROL message that was SENT before': edit(place.controlId, 'Forbidden'),
  }
}

function channelWays({ people, place }: Caller): Record<string, Way> {
  const channel = `/channels/${encode(place.ChannelArn)}`
  const create = (given: object) => ({
    method: 'POST',
    target: '/channels',
    body: {
      AppInstanceArn: people.appInstanceArn,
      Name: smuggled,
      ClientRequestToken: 'token',
      ...given,
    },
    bears,
  })
  const ways = refused({
    CreateChannel: create({}),
    'CreateChannel with tags': create({ Tags: [{ Key: 'name', Value: smuggled }] }),
    'UpdateChannel with a name': { method: 'PUT', target: channel, body: { Name: smuggled }, bears },
    'UpdateChannel with metadata': {
      method: 'PUT',
      target: channel,
      body: { Metadata: smuggled, Mode: 'RESTRICTED' },
      bears,
    },
  })
  const ElasticChannelConfiguration = {
    MaximumSubChannels: 2,
    TargetMembershipsPerSubChannel: 2,
    MinimumMembershipPercentage: 40,
  }
  return { ...ways, 'CreateChannel, elastic': { ...create({ ElasticChannelConfiguration }), users: 'BadRequest' } }
}

function otherWays({ people, bearer, place, held }: Caller): Record<string, Way> {
  const { appInstanceArn: AppInstanceArn } = people
  const { MessageId, CallbackId } = held
  const message = `/carillon/v1/messages/${encode(MessageId)}`
  return refused({
    CreateAppInstance: { method: 'POST', target: '/app-instances', body: { Name: 'x', ClientRequestToken: 'token' } },
    UpdateAppInstance: {
      method: 'PUT',
      target: `/app-instances/${encode(AppInstanceArn)}`,
      body: { Name: smuggled, Metadata: smuggled },
    },
    DeleteAppInstance: { method: 'DELETE', target: `/app-instances/${encode(AppInstanceArn)}` },
    'UpdateAppInstanceUser: the name of the sender': {
      method: 'PUT',
      target: `/app-instance-users/${encode(bearer)}`,
      body: { Name: smuggled, Metadata: smuggled },
    },
    'CreateKey: a key of an operator': {
      method: 'POST',
      target: '/carillon/v1/keys',
      body: { Kind: 'OPERATOR', SubjectArn: AppInstanceArn },
    },
    'ChannelFlowCallback for the own message': {
      method: 'POST',
      target: `/channels/${encode(place.ChannelArn)}?operation=channel-flow-callback`,
      body: { CallbackId, ChannelMessage: { MessageId, Content: smuggled } },
    },
    'CompleteMessage of the own message': {
      method: 'POST',
      target: `${message}?operation=complete`,
      body: { Content: smuggled },
    },
    'PauseProcessor of the flow': { method: 'POST', target: '/carillon/v1/processors/first?operation=pause' },
  })
}
