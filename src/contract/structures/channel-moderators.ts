import Type from 'typebox'
import { optional } from '../binding.ts'
import { ChimeArn, Timestamp } from '../shapes.ts'
import { Identity } from './identity.ts'

export const ChannelModerator = Type.Object({
  Moderator: optional(Identity),
  ChannelArn: optional(ChimeArn),
  CreatedTimestamp: optional(Timestamp),
  CreatedBy: optional(Identity),
})
export const ChannelModeratorSummary = Type.Object({ Moderator: optional(Identity) })
