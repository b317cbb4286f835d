import Type from 'typebox'
import { optional } from '../binding.ts'
import { ChannelMembershipType, ChimeArn, ErrorCode, SubChannelId, Timestamp } from '../shapes.ts'
import { ChannelSummary } from './channels.ts'
import { Identity } from './identity.ts'

export const ChannelMembership = Type.Object({
  InvitedBy: optional(Identity),
  Type: optional(ChannelMembershipType),
  Member: optional(Identity),
  ChannelArn: optional(ChimeArn),
  CreatedTimestamp: optional(Timestamp),
  LastUpdatedTimestamp: optional(Timestamp),
  SubChannelId: optional(SubChannelId),
})
export const ChannelMembershipSummary = Type.Object({ Member: optional(Identity) })
const AppInstanceUserMembershipSummary = Type.Object({
  Type: optional(ChannelMembershipType),
  ReadMarkerTimestamp: optional(Timestamp),
  SubChannelId: optional(SubChannelId),
})
export const ChannelMembershipForAppInstanceUserSummary = Type.Object({
  ChannelSummary: optional(ChannelSummary),
  AppInstanceUserMembershipSummary: optional(AppInstanceUserMembershipSummary),
})
export const MemberArns = Type.Array(ChimeArn, { minItems: 1, maxItems: 100 })
export const BatchChannelMemberships = Type.Object({
  InvitedBy: optional(Identity),
  Type: optional(ChannelMembershipType),
  Members: optional(Type.Array(Identity)),
  ChannelArn: optional(ChimeArn),
  SubChannelId: optional(SubChannelId),
})
export const BatchCreateChannelMembershipError = Type.Object({
  MemberArn: optional(ChimeArn),
  ErrorCode: optional(ErrorCode),
  ErrorMessage: optional(Type.String()),
})
