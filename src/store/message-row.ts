import type { Audience, MessageEventType } from './channel-event.ts'
import type { MessageRow, MessageText } from './tables.ts'

/* What follows from a message's row: its text, its event and its audience. */

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

/** The time of a change: never before the message's creation, even if the clock was set back. */
export const changeTime = (message: Pick<MessageRow, 'created_at'>, now: number): number =>
  Math.max(now, message.created_at)

/** `CREATE_CHANNEL_MESSAGE` for a sent message; for any other status, with the status as a prefix. */
export function eventTypeOf(
  { revision }: Pick<MessageRow, 'revision'>,
  status: MessageRow['status'],
): MessageEventType {
  const event = revision === 1 ? 'CREATE_CHANNEL_MESSAGE' : 'UPDATE_CHANNEL_MESSAGE'
  return status === 'SENT' ? event : `${status}_${event}`
}

/** Only the target and the sender receive a targeted message. */
export function audienceOf(message: Pick<MessageRow, 'target_arn' | 'sender_arn'>): Audience {
  return message.target_arn === null
    ? { to: 'members' }
    : { to: 'users', users: [...new Set([message.target_arn, message.sender_arn])] }
}

export const senderOnly = (message: Pick<MessageRow, 'sender_arn'>): Audience => ({
  to: 'users',
  users: [message.sender_arn],
})
