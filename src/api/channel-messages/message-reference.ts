import type { Reader } from '../../store/store.ts'
import { findChannelId } from '../channels/channel.ts'
import type { MessageIds } from './message-ids.ts'

/** An operator's reference to a message: the id has the channel, unless another server made it. */
export interface MessageReference {
  MessageId: string
  ChannelArn?: string | undefined
}

/** The number of the message's channel; undefined if the reference leads to none. */
export async function findChannelOf(
  read: Reader,
  messageIds: Pick<MessageIds, 'channelIdOf'>,
  { MessageId, ChannelArn }: MessageReference,
): Promise<number | undefined> {
  return ChannelArn === undefined ? messageIds.channelIdOf(MessageId) : findChannelId(read, ChannelArn)
}
