import { badRequest, conflict, forbidden } from '../../contract/api-error.ts'
import { bearer, idempotencyToken, optional, path } from '../../contract/binding.ts'
import type { InputOf } from '../../contract/operation.ts'
import {
  ChannelMessagePersistenceType,
  ChannelMessageType,
  ChimeArn,
  ClientRequestToken,
  ContentType,
  MessageId,
  Metadata,
  NonEmptyContent,
  SubChannelId,
} from '../../contract/shapes.ts'
import {
  ChannelMessageStatusStructure,
  MessageAttributeMap,
  PushNotificationConfiguration,
  TargetList,
} from '../../contract/structures/channel-messages.ts'
import { type FlowSnapshot, startRun } from '../../flow/decision.ts'
import type { AcceptMessage } from '../../store/changes.ts'
import { audienceOf, eventTypeOf, senderOnly } from '../../store/message-row.ts'
import type { ChannelRow, MembershipRow } from '../../store/tables.ts'
import { maySendToChannel } from '../access.ts'
import { invalidUserArn, type NamedUser } from '../app-instance-users/app-instance-user.ts'
import { requireTypePasses } from '../app-instances/flow-policy.ts'
import { snapshotFlow } from '../channel-flows/channel-flow.ts'
import { type Context, operation } from '../context.ts'
import { type TokenedCall, tokenedCall, tokenRow } from '../idempotency.ts'
import { rejectSubChannel } from '../sub-channels.ts'
import type { AcceptedMessage } from '../transient-tokens.ts'
import { acceptedMessage, currentStatus, findAccepted } from './accepted-message.ts'
import { newText, requireTextSize, statusToWire } from './channel-message.ts'

const inputMembers = {
  ChannelArn: path(ChimeArn),
  ChimeBearer: bearer(),
  Content: NonEmptyContent,
  Type: ChannelMessageType,
  Persistence: ChannelMessagePersistenceType,
  Metadata: optional(Metadata),
  ClientRequestToken: idempotencyToken(ClientRequestToken),
  PushNotification: optional(PushNotificationConfiguration),
  MessageAttributes: optional(MessageAttributeMap),
  SubChannelId: optional(SubChannelId),
  ContentType: optional(ContentType),
  Target: optional(TargetList),
}
type Input = InputOf<typeof inputMembers>

/**
 * Maximum of tries of a call, if the channel's flow changes between its read and the write of the message.
 */
const flowReadsMax = 5

/**
 * A channel's flow holds STANDARD messages until its processors allow them; all other messages are SENT at once.
 */
export const SendChannelMessage = operation({
  name: 'SendChannelMessage',
  http: 'POST /channels/{ChannelArn}/messages 201',
  input: inputMembers,
  output: {
    ChannelArn: optional(ChimeArn),
    MessageId: optional(MessageId),
    Status: optional(ChannelMessageStatusStructure),
    SubChannelId: optional(SubChannelId),
  },
  errors: ['BadRequest', 'Conflict', 'Forbidden'],
  resources: ['ChimeBearer', 'ChannelArn'],
  tokenScope: 'ChannelArn',
  rate: 'messages',
  allow: maySendToChannel,
  async handle(input, context, { bearer: sender, channel, flow: readFlow, policy }) {
    rejectSubChannel(input.SubChannelId)
    requireTextSize(input, input.Type)
    requireTargetIsNamed(input)
    requireTypePasses(input.Type, policy, context)
    const flow = input.Type === 'STANDARD' ? readFlow() : undefined
    return context.admission.run(input.ChannelArn, flow, () => sendMessage(input, { sender, channel, flow }, context))
  },
})

/** The channel and its sender; `flow` is undefined if no flow holds the message. */
interface Read {
  sender: NamedUser
  channel: ChannelRow
  flow: FlowSnapshot | undefined
}

async function sendMessage(input: Input, { sender, channel, flow: readFlow }: Read, context: Context) {
  const call = tokenedCall(input, context, `channel ${channel.channel_id}`)
  const earlier = call && (await findEarlier(call, input, context))
  if (earlier) return answerAgain(channel, earlier, context)

  const target = await findTarget(input, channel, context)
  let flow = readFlow
  for (let reads = 1; reads <= flowReadsMax; reads += 1) {
    const message = newMessage(input, { channel, sender, target }, flow ? 'PENDING' : 'SENT', context)
    // A held message has a row, even if it is NON_PERSISTENT.
    const needsRow = flow || message.persistence === 'PERSISTENT'
    const first = needsRow ? await accept(message, flow, call, context) : await publishTransient(message, call, context)
    if (first === 'flow has changed') {
      flow = await snapshotFlow(context.read, channel.channel_id)
      continue
    }
    if (first) return answerAgain(channel, first, context)
    return { ChannelArn: input.ChannelArn, MessageId: message.message_id, Status: statusToWire(message) }
  }
  throw conflict('The flow of the channel was changed at the same time, again and again')
}

/**
 * The message that a repeated call sent before, if the commit cannot find it: the message may have no row, or its target may
 * have left the channel. All other messages need no read.
 */
const findEarlier = async (call: TokenedCall, { Persistence, Target }: Input, context: Context) =>
  Persistence === 'PERSISTENT' && !Target ? context.transientTokens.find(call) : findAccepted(call, context)

/** The response to a repeated call. */
const answerAgain = async (channel: ChannelRow, earlier: AcceptedMessage, { read }: Context) => ({
  ChannelArn: channel.channel_arn,
  MessageId: earlier.messageId,
  Status: await currentStatus(read, channel.channel_id, earlier),
})

/** MemberArn is optional in the shape, but a message must have a recipient. */
function requireTargetIsNamed({ Target }: Input): void {
  if (!Target || Target[0]?.MemberArn) return
  throw badRequest(
    `1 validation error detected: Value at 'target.1.member.memberArn' failed to satisfy constraint: Member must not be null`,
  )
}

type Target = Pick<MembershipRow, 'member_id' | 'member_arn'>

/** Throws unless the target is a member. Undefined for a message to all. */
async function findTarget({ Target }: Input, channel: ChannelRow, { read }: Context): Promise<Target | undefined> {
  if (!Target) return undefined
  const member = await read.get<Target>(
    `SELECT member_id, app_instance_user_arn AS member_arn FROM app_instance_user
     JOIN channel_membership ON member_id = user_id
     WHERE app_instance_user_arn = $1 AND deleted_at IS NULL AND channel_id = $2`,
    Target[0]?.MemberArn ?? null,
    channel.channel_id,
  )
  if (!member) throw invalidUserArn()
  return member
}

type NewMessage = AcceptMessage['message']

/** The message's row without its number in the channel log. */
function newMessage(
  input: Input,
  { channel, sender, target }: { channel: ChannelRow; sender: NamedUser; target: Target | undefined },
  status: 'PENDING' | 'SENT',
  context: Context,
): NewMessage {
  const now = context.now()
  return {
    channel_id: channel.channel_id,
    channel_arn: channel.channel_arn,
    message_id: context.messageIds.create(channel.channel_id, now),
    revision: 1,
    status,
    status_detail: null,
    sender_id: sender.user_id,
    sender_arn: sender.app_instance_user_arn,
    sender_name: sender.name,
    type: input.Type,
    persistence: input.Persistence,
    ...newText(input),
    target_id: target?.member_id ?? null,
    target_arn: target?.member_arn ?? null,
    redacted: 0,
    created_at: now,
    edited_at: null,
    updated_at: now,
    update_status: null,
    update_detail: null,
  }
}

/**
 * Stores the message. If a concurrent repetition of the call was first, returns the message of that one.
 */
async function accept(
  message: NewMessage,
  flow: FlowSnapshot | undefined,
  call: TokenedCall | undefined,
  context: Context,
): Promise<AcceptedMessage | 'flow has changed' | undefined> {
  const now = message.created_at
  const outcome = await context.store.commit({
    kind: 'AcceptMessage',
    message,
    channelFlowArn: message.type === 'STANDARD' ? (flow?.channelFlowArn ?? null) : undefined,
    event: {
      eventType: eventTypeOf(message, message.status),
      audience: flow ? senderOnly(message) : audienceOf(message),
    },
    token: call && tokenRow(call, acceptedMessage(message), now),
    flow: flow && startRun(message, undefined, flow, context.node, { ...context, now }),
  })
  if (outcome.result === 'accepted') return undefined
  if (outcome.because === 'sender is no member') throw forbidden()
  if (outcome.because === 'flow has changed') return outcome.because
  const first = call && (await findAccepted(call, context))
  if (!first) throw conflict('This ClientRequestToken is in use by another call')
  return first
}

/**
 * Publishes a message without a row, such as a typing indicator. Its token is only kept in memory, best effort.
 * Returns the same as `accept`.
 */
async function publishTransient(
  message: NewMessage,
  call: TokenedCall | undefined,
  context: Context,
): Promise<AcceptedMessage | 'flow has changed' | undefined> {
  // No commit checks it, and the message may have waited for its admission since the channel was read.
  if (message.type === 'STANDARD' && (await snapshotFlow(context.read, message.channel_id))) return 'flow has changed'
  const first = call && context.transientTokens.remember(call, acceptedMessage(message))
  if (first) return first
  context.announce({
    channelId: message.channel_id,
    channelArn: message.channel_arn,
    seq: undefined,
    eventType: eventTypeOf(message, 'SENT'),
    audience: audienceOf(message),
    createdAt: message.created_at,
    subject: message.message_id,
    revision: message.revision,
    about: { ...message, seq: 0 },
  })
  return undefined
}
