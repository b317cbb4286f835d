import { readTimeline, type Timeline } from '../../flow/timeline.ts'
import type { Reader } from '../../store/store.ts'
import type { MessageIds } from '../channel-messages/message-ids.ts'
import { findChannelId } from '../channels/channel.ts'

/** Which message: its id names its channel, unless another server made it. */
export interface MessageReference {
  MessageId: string
  ChannelArn?: string | undefined
}

/** Undefined if no flow has had the message, or if its timeline has been deleted since. */
export async function findTimeline(
  read: Reader,
  messageIds: Pick<MessageIds, 'channelIdOf'>,
  { MessageId, ChannelArn }: MessageReference,
): Promise<Timeline | undefined> {
  const channelId = ChannelArn === undefined ? messageIds.channelIdOf(MessageId) : await findChannelId(read, ChannelArn)
  return channelId === undefined ? undefined : readTimeline(read, channelId, MessageId)
}
