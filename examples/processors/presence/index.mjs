/*
 * Keeps who is there in the Metadata of a channel, which the members are then told of by UPDATE_CHANNEL. A message
 * whose Metadata is {"presence":"online"} says so of its sender, and makes {"presence":{"ann":"online"}} of the
 * channel's. One that says nothing new is denied: clients may repeat theirs every few seconds, and nobody is bothered.
 * All other messages pass.
 *
 * It changes channels in the name of an AppInstanceAdmin, whose id is in the environment variable ADMIN_USER_ID.
 */
import {
  ChannelFlowCallbackCommand,
  ChimeSDKMessagingClient,
  DescribeChannelCommand,
  UpdateChannelCommand,
} from '@aws-sdk/client-chime-sdk-messaging'

const chime = new ChimeSDKMessagingClient({})

/** Called with each message. What it returns is ignored: the verdict is the callback. */
export async function handler({ CallbackId, ChannelMessage }) {
  const { ChannelArn, MessageId, Content, Metadata } = ChannelMessage
  if (await saysNothingNew(ChannelMessage)) {
    await answer({ ChannelArn, CallbackId, DeleteResource: true, ChannelMessage: { MessageId } })
  } else {
    await answer({ ChannelArn, CallbackId, ChannelMessage: { MessageId, Content, Metadata } })
  }
}

/** No message waits, or is lost, because a presence cannot be kept. */
async function saysNothingNew({ MessageId, ChannelArn, Metadata, Sender }) {
  const presence = presenceIn(Metadata)
  if (presence === undefined) return false
  try {
    return !(await keep(presence, Sender.Arn, ChannelArn))
  } catch (error) {
    console.error(`the presence in message ${MessageId} is not kept: ${error.name}: ${error.message}`)
    return false
  }
}

/** What a message says of its sender, or undefined: Metadata is any text, and may be absent. */
export function presenceIn(messageMetadata) {
  try {
    return JSON.parse(messageMetadata).presence
  } catch {
    return undefined
  }
}

/**
 * Whether it was new. Of two changes at the same moment one may undo the other, since the API cannot compare and set;
 * the next message of whoever was undone mends it.
 */
async function keep(presence, senderArn, ChannelArn) {
  const ChimeBearer = `${ChannelArn.split('/channel/')[0]}/user/${process.env.ADMIN_USER_ID}`
  const { Channel } = await chime.send(new DescribeChannelCommand({ ChannelArn, ChimeBearer }))
  const Metadata = withPresence(Channel.Metadata, senderArn.split('/').at(-1), presence)
  if (Metadata === undefined) return false
  const { Name, Mode } = Channel
  await chime.send(new UpdateChannelCommand({ ChannelArn, ChimeBearer, Name, Mode, Metadata }))
  return true
}

/** The channel's Metadata with the user's presence in it, or undefined if that is there already. All else stays. */
export function withPresence(channelMetadata, userId, presence) {
  const metadata = channelMetadata ? JSON.parse(channelMetadata) : {}
  if (!isObject(metadata)) throw new TypeError("the channel's Metadata is JSON, but no object")
  const known = isObject(metadata.presence) ? metadata.presence : {}
  if (JSON.stringify(known[userId]) === JSON.stringify(presence)) return undefined
  return JSON.stringify({ ...metadata, presence: { ...known, [userId]: presence } })
}

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)

/*
 * Lambda may bring an event twice, but only the first verdict counts: what AWS answers to another one is one of these.
 * Trying again cannot help, so it is only logged. Any other error is thrown, and Lambda brings the event again.
 */
const lateAnswers = ['BadRequestException', 'ConflictException', 'ForbiddenException']

async function answer(verdict) {
  try {
    await chime.send(new ChannelFlowCallbackCommand(verdict))
  } catch (error) {
    if (!lateAnswers.includes(error.name)) throw error
    console.warn(`no verdict taken on message ${verdict.ChannelMessage.MessageId}: ${error.name}: ${error.message}`)
  }
}
