import Type, { type Static, type TSchema } from 'typebox'
import { optional } from './binding.ts'
import {
  ChannelFlowExecutionOrder,
  ChannelMessagePersistenceType,
  ChannelMessageStatus,
  ChannelMessageType,
  ChannelMode,
  ChannelPrivacy,
  ChimeArn,
  Content,
  ContentType,
  ExpirationCriterion,
  ExpirationDays,
  FallbackAction,
  InvocationType,
  LambdaFunctionArn,
  MaximumSubChannels,
  MessageAttributeName,
  MessageAttributeStringValue,
  MessageId,
  Metadata,
  MinimumMembershipPercentage,
  NonEmptyContent,
  NonEmptyResourceName,
  NonNullableBoolean,
  PushNotificationBody,
  PushNotificationTitle,
  PushNotificationType,
  ResourceName,
  StatusDetail,
  SubChannelId,
  TagKey,
  TagValue,
  TargetMembershipsPerSubChannel,
  Timestamp,
  UrlType,
  UserExpirationCriterion,
  UserName,
} from './shapes.ts'

/** A map whose names have a shape too. Type.Record would leave a name with a line break unchecked. */
const mapOf = <Value extends TSchema>(name: TSchema, value: Value) =>
  Type.Unsafe<Record<string, Static<Value>>>({ type: 'object', propertyNames: name, additionalProperties: value })

export const Identity = Type.Object({ Arn: optional(ChimeArn), Name: optional(ResourceName) })
export const Tag = Type.Object({ Key: TagKey, Value: TagValue })
export const TagList = Type.Array(Tag, { minItems: 1, maxItems: 50 })

export const AppInstance = Type.Object({
  AppInstanceArn: optional(ChimeArn),
  Name: optional(NonEmptyResourceName),
  CreatedTimestamp: optional(Timestamp),
  LastUpdatedTimestamp: optional(Timestamp),
  Metadata: optional(Metadata),
})
export const AppInstanceUserExpirationSettings = Type.Object({
  ExpirationDays: ExpirationDays,
  ExpirationCriterion: UserExpirationCriterion,
})
export const AppInstanceUser = Type.Object({
  AppInstanceUserArn: optional(ChimeArn),
  Name: optional(UserName),
  Metadata: optional(Metadata),
  CreatedTimestamp: optional(Timestamp),
  LastUpdatedTimestamp: optional(Timestamp),
  ExpirationSettings: optional(AppInstanceUserExpirationSettings),
})

export const ExpirationSettings = Type.Object({
  ExpirationDays: ExpirationDays,
  ExpirationCriterion: ExpirationCriterion,
})
export const ElasticChannelConfiguration = Type.Object({
  MaximumSubChannels: MaximumSubChannels,
  TargetMembershipsPerSubChannel: TargetMembershipsPerSubChannel,
  MinimumMembershipPercentage: MinimumMembershipPercentage,
})
export const Channel = Type.Object({
  Name: optional(NonEmptyResourceName),
  ChannelArn: optional(ChimeArn),
  Mode: optional(ChannelMode),
  Privacy: optional(ChannelPrivacy),
  Metadata: optional(Metadata),
  CreatedBy: optional(Identity),
  CreatedTimestamp: optional(Timestamp),
  LastMessageTimestamp: optional(Timestamp),
  LastUpdatedTimestamp: optional(Timestamp),
  ChannelFlowArn: optional(ChimeArn),
  ElasticChannelConfiguration: optional(ElasticChannelConfiguration),
  ExpirationSettings: optional(ExpirationSettings),
})
export const ChannelMembershipSummary = Type.Object({ Member: optional(Identity) })

const LambdaConfiguration = Type.Object({ ResourceArn: LambdaFunctionArn, InvocationType: InvocationType })
const ProcessorConfiguration = Type.Object({ Lambda: LambdaConfiguration })
export const Processor = Type.Object({
  Name: NonEmptyResourceName,
  Configuration: ProcessorConfiguration,
  ExecutionOrder: ChannelFlowExecutionOrder,
  FallbackAction: FallbackAction,
})
export const ProcessorList = Type.Array(Processor, { minItems: 1, maxItems: 3 })
export const ChannelFlow = Type.Object({
  ChannelFlowArn: optional(ChimeArn),
  Processors: optional(ProcessorList),
  Name: optional(NonEmptyResourceName),
  CreatedTimestamp: optional(Timestamp),
  LastUpdatedTimestamp: optional(Timestamp),
})
export const ChannelFlowSummary = Type.Object({
  ChannelFlowArn: optional(ChimeArn),
  Name: optional(NonEmptyResourceName),
  Processors: optional(ProcessorList),
})

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
export const MessagingSessionEndpoint = Type.Object({ Url: optional(UrlType) })

export type Identity = Static<typeof Identity>
export type Tag = Static<typeof Tag>
export type Processor = Static<typeof Processor>
export type MessageAttributeMap = Static<typeof MessageAttributeMap>
export type PushNotificationConfiguration = Static<typeof PushNotificationConfiguration>
