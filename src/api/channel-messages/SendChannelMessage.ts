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
} from '../../contract/structures.ts'
import { audienceOf, eventTypeOf, senderOnly } from '../../flow/decision.ts'
import { type ChannelAccess, maySendToChannel } from '../access.ts'
import { invalidUserArn } from '../app-instance-users/app-instance-user.ts'
import { snapshotFlow } from '../channel-flows/channel-flow.ts'
import { type Context, operation } from '../context.ts'
import { findAnswer, type TokenedCall, tokenRow } from '../idempotency.ts'
import { refuseSubChannel } from '../sub-channels.ts'
import { type AcceptedMessage, currentStatus } from './accepted-message.ts'
import { newText, requireTextSize, statusToWire } from './channel-message.ts'

const input = {
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
type Input = InputOf<typeof input>

/** A channel's flow holds STANDARD messages until its processors have let them pass; everything else is SENT at once. */
export const SendChannelMessage = operation({
  name: 'SendChannelMessage',
  http: 'POST /channels/{ChannelArn}/messages 201',
  input,
  output: {
    ChannelArn: optional(ChimeArn),
    MessageId: optional(MessageId),
    Status: optional(ChannelMessageStatusStructure),
    SubChannelId: optional(SubChannelId),
  },
  errors: ['BadRequest', 'Conflict', 'Forbidden'],
  allow: maySendToChannel,
  async handle(input, context, access) {
    refuseSubChannel(input.SubChannelId)
    requireTextSize(input, input.Type)
    if (input.Type === 'CONTROL' && input.Metadata) throw badRequest('A CONTROL message has no Metadata')
    const call = tokenedCall(input)
    const earlier =
      call && ((await findAnswer<AcceptedMessage>(context.read, call)) ?? context.transientTokens.find(call))
    if (earlier) return answerAgain(input, earlier, context)
    await requireTargetIsMember(input, context)
    const flow = input.Type === 'STANDARD' ? await snapshotFlow(context.read, access.channel) : undefined
    return input.Persistence === 'NON_PERSISTENT' && !flow
      ? passOn(input, context, access, call)
      : accept(input, context, access, flow, call)
  },
})

const answer = (input: Input, messageId: string, status: ReturnType<typeof statusToWire>) => ({
  ChannelArn: input.ChannelArn,
  MessageId: messageId,
  Status: status,
})

const answerAgain = async (input: Input, earlier: AcceptedMessage, { read }: Context) =>
  answer(input, earlier.messageId, await currentStatus(read, input.ChannelArn, earlier))

function tokenedCall(input: Input): TokenedCall | undefined {
  const { ChannelArn: scope, ChimeBearer: caller, ClientRequestToken: token } = input
  return token === undefined ? undefined : { operation: 'SendChannelMessage', scope, caller, token, parameters: input }
}

async function requireTargetIsMember({ ChannelArn, Target }: Input, { read }: Context): Promise<void> {
  if (!Target) return
  const member = await read.get(
    'SELECT 1 FROM channel_membership WHERE channel_arn = $1 AND member_arn = $2',
    ChannelArn,
    Target[0]?.MemberArn ?? '',
  )
  if (!member) throw invalidUserArn()
}

/** The message's row; once it is decided by whom it may be seen, nothing in it depends on the flow but its status. */
function messageRow(input: Input, context: Context, { bearer }: ChannelAccess, status: 'PENDING' | 'SENT') {
  const now = context.now()
  return {
    channel_arn: input.ChannelArn,
    message_id: context.newId(),
    revision: 1,
    status,
    status_detail: null,
    sender_arn: bearer.app_instance_user_arn,
    sender_name: bearer.name,
    type: input.Type,
    persistence: input.Persistence,
    ...newText(input),
    target_arn: input.Target?.[0]?.MemberArn ?? null,
    redacted: 0,
    created_at: now,
    edited_at: null,
    updated_at: now,
  }
}

async function accept(
  input: Input,
  context: Context,
  access: ChannelAccess,
  flow: Awaited<ReturnType<typeof snapshotFlow>>,
  call: TokenedCall | undefined,
) {
  const message = messageRow(input, context, access, flow ? 'PENDING' : 'SENT')
  const accepted: AcceptedMessage = { messageId: message.message_id, revision: message.revision }
  const outcome = await context.store.commit({
    kind: 'AcceptMessage',
    message,
    event: {
      eventType: eventTypeOf(message, message.status),
      audience: flow ? senderOnly(message) : audienceOf(message),
    },
    token: call && tokenRow(call, accepted, context.now()),
    flow: flow?.start(message, context),
  })
  if (outcome.result === 'accepted') return answer(input, message.message_id, statusToWire(message))
  if (outcome.because === 'sender is no member') throw forbidden()
  // The same call came twice at once, and the other was first.
  const first = call && (await findAnswer<AcceptedMessage>(context.read, call))
  if (!first) throw conflict('This ClientRequestToken is in use by another call')
  return answerAgain(input, first, context)
}

/** Typing indicators and the like: they leave no row, and their token is remembered in memory as well as it goes. */
async function passOn(input: Input, context: Context, access: ChannelAccess, call: TokenedCall | undefined) {
  const message = { ...messageRow(input, context, access, 'SENT'), seq: 0 }
  const { message_id: messageId, revision } = message
  const first = call && context.transientTokens.remember(call, { messageId, revision })
  if (first) return answerAgain(input, first, context)
  context.announce({
    channelArn: input.ChannelArn,
    seq: undefined,
    eventType: eventTypeOf(message, 'SENT'),
    audience: audienceOf(message),
    createdAt: message.created_at,
    about: { message },
  })
  return answer(input, messageId, statusToWire(message))
}
