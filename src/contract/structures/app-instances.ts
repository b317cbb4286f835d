import Type, { type Static } from 'typebox'
import { optional } from '../binding.ts'
import { ChimeArn, Metadata, NonEmptyResourceName, RetentionDays, Timestamp } from '../shapes.ts'
import { Identity } from './identity.ts'

export const AppInstance = Type.Object({
  AppInstanceArn: optional(ChimeArn),
  Name: optional(NonEmptyResourceName),
  CreatedTimestamp: optional(Timestamp),
  LastUpdatedTimestamp: optional(Timestamp),
  Metadata: optional(Metadata),
})
export const AppInstanceSummary = Type.Object({
  AppInstanceArn: optional(ChimeArn),
  Name: optional(NonEmptyResourceName),
  Metadata: optional(Metadata),
})
export const AppInstanceAdmin = Type.Object({
  Admin: optional(Identity),
  AppInstanceArn: optional(ChimeArn),
  CreatedTimestamp: optional(Timestamp),
})
export const AppInstanceAdminSummary = Type.Object({ Admin: optional(Identity) })
const ChannelRetentionSettings = Type.Object({ RetentionDays: optional(RetentionDays) })
export const AppInstanceRetentionSettings = Type.Object({
  ChannelRetentionSettings: optional(ChannelRetentionSettings),
})

export type AppInstanceRetentionSettings = Static<typeof AppInstanceRetentionSettings>
