import Type, { type Static } from 'typebox'
import { optional } from '../binding.ts'
import { ChimeArn, ExpirationDays, Metadata, Timestamp, UserExpirationCriterion, UserName } from '../shapes.ts'

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
export const AppInstanceUserSummary = Type.Object({
  AppInstanceUserArn: optional(ChimeArn),
  Name: optional(UserName),
  Metadata: optional(Metadata),
})

export type AppInstanceUserExpirationSettings = Static<typeof AppInstanceUserExpirationSettings>
