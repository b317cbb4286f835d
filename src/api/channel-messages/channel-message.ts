import { badRequest, notFound } from '../../contract/api-error.ts'
import type { ChannelMessageStatus, ChannelMessageType } from '../../contract/shapes.ts'
import type { MessageAttributeMap, PushNotificationConfiguration } from '../../contract/structures/channel-messages.ts'
import { changeTime, noText } from '../../store/message-row.ts'
import type { Reader } from '../../store/store.ts'
import type { MessageRow, MessageText } from '../../store/tables.ts'
import { fromJson, fromJsonText, toJson, toJsonText } from '../json-text.ts'
import type { WriteTime } from '../times.ts'

/** The members of a message that its sender writes and a processor may change. */
export interface WireText {
  Content?: string
  Metadata?: string
  ContentType?: string
  MessageAttributes?: MessageAttributeMap
  PushNotification?: PushNotificationConfiguration
}

/** AWS's quotas "Content (STANDARD)", "(CONTROL)" and "Message attributes": bytes of UTF-8. */
const contentBytesMax = { STANDARD: 4096, CONTROL: 30 }
const attributesBytesMax = 1024

/** Limits that the shapes cannot express: they count bytes, or depend on the type. */
export function requireTextSize(text: WireText, type: ChannelMessageType): void {
  const { Content = '', Metadata, MessageAttributes = {} } = text
  if (type === 'CONTROL' && Metadata) throw badRequest('A CONTROL message has no Metadata')
  if (Buffer.byteLength(Content) > contentBytesMax[type]) {
    throw badRequest(
      `Channel Messages size limit exceeded: a ${type} message has at most ${contentBytesMax[type]} bytes`,
    )
  }
  const attributesBytes = Object.entries(MessageAttributes)
    .flatMap(([name, { StringValues = [] }]) => [name, ...StringValues])
    .reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  if (attributesBytes > attributesBytesMax) {
    throw badRequest(`MessageAttributes have at most ${attributesBytesMax} bytes in all`)
  }
}

export const newText = (text: WireText & { Content: string }): MessageText => ({
  content: toJsonText(text.Content),
  metadata: toJson(text.Metadata),
  content_type: toJson(text.ContentType),
  message_attributes_json: toJson(text.MessageAttributes),
  push_notification_json: toJson(text.PushNotification),
})

/** An absent member keeps its value; an empty Metadata or ContentType deletes it; a map is replaced as a whole. */
export function changesOf(text: WireText): Partial<MessageText> {
  const { Content, Metadata, ContentType, MessageAttributes, PushNotification } = text
  return {
    ...(Content !== undefined && { content: toJsonText(Content) }),
    ...(Metadata !== undefined && { metadata: Metadata === '' ? null : toJson(Metadata) }),
    ...(ContentType !== undefined && { content_type: ContentType === '' ? null : toJson(ContentType) }),
    ...(MessageAttributes && { message_attributes_json: toJson(MessageAttributes) }),
    ...(PushNotification && { push_notification_json: toJson(PushNotification) }),
  }
}

export const findMessage = (read: Reader, channelId: number, messageId: string): Promise<MessageRow | undefined> =>
  read.get('SELECT * FROM message_view WHERE channel_id = $1 AND message_id = $2', channelId, messageId)

/**
 * The messages that a user may see: persistent SENT ones, and its own while they are PENDING or after they FAILED;
 * targeted ones only as sender or target. `user` is the placeholder of the user's number: `visibleTo('$2')`.
 */
export const visibleTo = (user: string) => `persistence = 'PERSISTENT'
  AND (status = 'SENT' OR sender_id = ${user})
  AND (target_id IS NULL OR target_id = ${user} OR sender_id = ${user})`

/** The message. Throws a NotFound if it does not exist or the user may not see it. */
export async function requireVisibleMessage(
  read: Reader,
  channelId: number,
  messageId: string,
  userId: number,
): Promise<MessageRow> {
  const row = await read.get<MessageRow>(
    `SELECT * FROM message_view WHERE channel_id = $1 AND message_id = $2 AND ${visibleTo('$3')}`,
    channelId,
    messageId,
    userId,
  )
  if (!row) throw noMessage()
  return row
}

export const noMessage = () => notFound('The message does not exist')

/** The message in the events of its redaction or deletion. */
export const withoutText = (message: MessageRow, now: number): MessageRow => ({
  ...message,
  ...noText,
  redacted: 1,
  updated_at: changeTime(message, now),
  update_status: null,
  update_detail: null,
})

export const statusToWire = (row: Pick<MessageRow, 'status' | 'status_detail'>) => ({
  Value: row.status as ChannelMessageStatus,
  Detail: row.status_detail ?? undefined,
})

/** The sender of a message with a pending update reads it as PENDING, with the text that all members read. */
export const seenBy = (userArn: string, row: MessageRow): MessageRow =>
  row.update_status === 'PENDING' && row.sender_arn === userArn ? { ...row, status: 'PENDING' } : row

/** AWS's ChannelMessageSummary. Clients read `Status.Value` of every message without a check, so it is always set. */
export const messageSummary = <Time>(row: MessageRow, time: WriteTime<Time>) => ({
  MessageId: row.message_id,
  Content: fromJsonText(row.content),
  Metadata: fromJson<string>(row.metadata),
  Type: row.type as ChannelMessageType,
  CreatedTimestamp: time(row.created_at),
  LastUpdatedTimestamp: time(row.updated_at),
  LastEditedTimestamp: row.edited_at === null ? undefined : time(row.edited_at),
  Sender: { Arn: row.sender_arn, Name: fromJsonText(row.sender_name) },
  Redacted: row.redacted === 1,
  Status: statusToWire(row),
  MessageAttributes: fromJson<MessageAttributeMap>(row.message_attributes_json),
  ContentType: fromJson<string>(row.content_type),
  Target: row.target_arn === null ? undefined : [{ MemberArn: row.target_arn }],
})

/** AWS's ChannelMessage. */
export const messageToWire = <Time>(row: MessageRow, time: WriteTime<Time>) => ({
  ChannelArn: row.channel_arn,
  ...messageSummary(row, time),
  Persistence: row.persistence as 'PERSISTENT' | 'NON_PERSISTENT',
})
