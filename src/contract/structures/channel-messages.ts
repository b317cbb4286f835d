import Type, { type Static, type TSchema } from 'typebox'
import { optional } from '../binding.ts'
import {
  ChannelMessagePersistenceType,
  ChannelMessageStatus,
  ChannelMessageType,
  ChimeArn,
  Content,
  ContentType,
  MessageAttributeName,
  MessageAttributeStringValue,
  MessageId,
  Metadata,
  NonEmptyContent,
  NonNullableBoolean,
  PushNotificationBody,
  PushNotificationTitle,
  PushNotificationType,
  StatusDetail,
  SubChannelId,
  Timestamp,
} from '../shapes.ts'
import { Identity } from './identity.ts'

/** A map whose names have a shape too. Type.Record would leave a name with a line break unchecked. */
const mapOf = <Value extends TSchema>(name: TSchema, value: Value) =>
  Type.Unsafe<Record<string, Static<Value>>>({ type: 'object', propertyNames: name, additionalProperties: value })

const MessageAttributeValue = Type.Object({ StringValues: optional(Type.Array(MessageAttributeStringValue)) })
export const MessageAttributeMap = mapOf(MessageAttributeName, MessageAttributeValue)
export const PushNotificationConfiguration = Type.Object({
  Title: optional(PushNotificationTitle),
  Body: optional(PushNotificationBody),
  Type: optional(PushNotificationType),
})
const Target = Type.Object({ MemberArn: optional(ChimeArn) })
export const TargetList = Type.Array(Target, { minItems: 1, maxItems: 1 })
export const ChannelMessageStatusStructure = Type.Object({
  Value: optional(ChannelMessageStatus),
  Detail: optional(StatusDetail),
})
export const ChannelMessage = Type.Object({
  ChannelArn: optional(ChimeArn),
  MessageId: optional(MessageId),
  Content: optional(Content),
  Metadata: optional(Metadata),
  Type: optional(ChannelMessageType),
  CreatedTimestamp: optional(Timestamp),
  LastEditedTimestamp: optional(Timestamp),
  LastUpdatedTimestamp: optional(Timestamp),
  Sender: optional(Identity),
  Redacted: optional(NonNullableBoolean),
  Persistence: optional(ChannelMessagePersistenceType),
  Status: optional(ChannelMessageStatusStructure),
  MessageAttributes: optional(MessageAttributeMap),
  SubChannelId: optional(SubChannelId),
  ContentType: optional(ContentType),
  Target: optional(TargetList),
})
export const ChannelMessageSummary = Type.Object({
  MessageId: optional(MessageId),
  Content: optional(Content),
  Metadata: optional(Metadata),
  Type: optional(ChannelMessageType),
  CreatedTimestamp: optional(Timestamp),
  LastUpdatedTimestamp: optional(Timestamp),
  LastEditedTimestamp: optional(Timestamp),
  Sender: optional(Identity),
  Redacted: optional(NonNullableBoolean),
  Status: optional(ChannelMessageStatusStructure),
  MessageAttributes: optional(MessageAttributeMap),
  ContentType: optional(ContentType),
  Target: optional(TargetList),
})
export const ChannelMessageCallback = Type.Object({
  MessageId: MessageId,
  Content: optional(NonEmptyContent),
  Metadata: optional(Metadata),
  PushNotification: optional(PushNotificationConfiguration),
  MessageAttributes: optional(MessageAttributeMap),
  SubChannelId: optional(SubChannelId),
  ContentType: optional(ContentType),
})

export type MessageAttributeMap = Static<typeof MessageAttributeMap>
export type PushNotificationConfiguration = Static<typeof PushNotificationConfiguration>
