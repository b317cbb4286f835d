import Type from 'typebox'
import { optional } from '../binding.ts'
import { ChimeArn, Timestamp } from '../shapes.ts'
import { Identity } from './identity.ts'

export const ChannelBan = Type.Object({
  Member: optional(Identity),
  ChannelArn: optional(ChimeArn),
  CreatedTimestamp: optional(Timestamp),
  CreatedBy: optional(Identity),
})
export const ChannelBanSummary = Type.Object({ Member: optional(Identity) })
