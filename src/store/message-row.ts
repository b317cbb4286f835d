import type { Audience, MessageEventType } from './channel-event.ts'
import type { MessageRow, MessageText } from './tables.ts'

/* What a message's row says: its text, its event and who may see it. */

/** The members that a processor may change. */
export const textOf = (message: MessageRow): MessageText => ({
  content: message.content,
  metadata: message.metadata,
  content_type: message.content_type,
  message_attributes_json: message.message_attributes_json,
  push_notification_json: message.push_notification_json,
})

/** The text of a message whose text was deleted. */
export const noText: MessageText = {
  content: '""',
  metadata: null,
  content_type: null,
  message_attributes_json: null,
  push_notification_json: null,
}

/** When the message changes: never before it was made, though the clock may have run back since then. */
export const changeTime = (message: Pick<MessageRow, 'created_at'>, now: number): number =>
  Math.max(now, message.created_at)

/** `CREATE_CHANNEL_MESSAGE` once sent; before that and instead of it with the status in front. */
export function eventTypeOf(
  { revision }: Pick<MessageRow, 'revision'>,
  status: MessageRow['status'],
): MessageEventType {
  const event = revision === 1 ? 'CREATE_CHANNEL_MESSAGE' : 'UPDATE_CHANNEL_MESSAGE'
  return status === 'SENT' ? event : `${status}_${event}`
}

/** A targeted message is for its target and its sender alone. */
export function audienceOf(message: Pick<MessageRow, 'target_arn' | 'sender_arn'>): Audience {
  return message.target_arn === null
    ? { to: 'members' }
    : { to: 'users', users: [...new Set([message.target_arn, message.sender_arn])] }
}

export const senderOnly = (message: Pick<MessageRow, 'sender_arn'>): Audience => ({
  to: 'users',
  users: [message.sender_arn],
})
