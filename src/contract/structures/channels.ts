import Type, { type Static } from 'typebox'
import { optional } from '../binding.ts'
import {
  ChannelMode,
  ChannelPrivacy,
  ChimeArn,
  ExpirationCriterion,
  ExpirationDays,
  MaximumSubChannels,
  Metadata,
  MinimumMembershipPercentage,
  NonEmptyResourceName,
  SearchFieldKey,
  SearchFieldOperator,
  SearchFieldValue,
  TargetMembershipsPerSubChannel,
  Timestamp,
} from '../shapes.ts'
import { Identity } from './identity.ts'

export const ExpirationSettings = Type.Object({
  ExpirationDays: ExpirationDays,
  ExpirationCriterion: ExpirationCriterion,
})
export const ElasticChannelConfiguration = Type.Object({
  MaximumSubChannels: MaximumSubChannels,
  TargetMembershipsPerSubChannel: TargetMembershipsPerSubChannel,
  MinimumMembershipPercentage: MinimumMembershipPercentage,
})
export const ChannelMemberArns = Type.Array(ChimeArn, { minItems: 1, maxItems: 10 })
export const ChannelModeratorArns = Type.Array(ChimeArn, { minItems: 1, maxItems: 10 })
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
export const ChannelSummary = Type.Object({
  Name: optional(NonEmptyResourceName),
  ChannelArn: optional(ChimeArn),
  Mode: optional(ChannelMode),
  Privacy: optional(ChannelPrivacy),
  Metadata: optional(Metadata),
  LastMessageTimestamp: optional(Timestamp),
})
export const ChannelAssociatedWithFlowSummary = Type.Object({
  Name: optional(NonEmptyResourceName),
  ChannelArn: optional(ChimeArn),
  Mode: optional(ChannelMode),
  Privacy: optional(ChannelPrivacy),
  Metadata: optional(Metadata),
})
export const ChannelModeratedByAppInstanceUserSummary = Type.Object({ ChannelSummary: optional(ChannelSummary) })
const SearchFieldValues = Type.Array(SearchFieldValue, { minItems: 1, maxItems: 20 })
const SearchField = Type.Object({
  Key: SearchFieldKey,
  Values: SearchFieldValues,
  Operator: SearchFieldOperator,
})
export const SearchFields = Type.Array(SearchField, { minItems: 1, maxItems: 20 })

export type ExpirationSettings = Static<typeof ExpirationSettings>
