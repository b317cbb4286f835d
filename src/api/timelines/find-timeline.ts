import { readTimeline, type Timeline } from '../../flow/timeline.ts'
import type { Reader } from '../../store/store.ts'
import type { MessageIds } from '../channel-messages/message-ids.ts'
import { findChannelOf, type MessageReference } from '../channel-messages/message-reference.ts'

/** Undefined if no flow has had the message, or if its timeline has been deleted since. */
export async function findTimeline(
  read: Reader,
  messageIds: Pick<MessageIds, 'channelIdOf'>,
  reference: MessageReference,
): Promise<Timeline | undefined> {
  const channelId = await findChannelOf(read, messageIds, reference)
  return channelId === undefined ? undefined : readTimeline(read, channelId, reference.MessageId)
}
