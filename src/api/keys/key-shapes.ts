import Type, { type Static } from 'typebox'
import { optional } from '../../contract/binding.ts'
import { ChimeArn, NonEmptyResourceName, Timestamp } from '../../contract/shapes.ts'

/* Shapes of the operations for access keys, which AWS does not have. */

/** As AWS bounds it (IAM API reference, "AccessKey"). */
export const AccessKeyId = Type.String({ minLength: 16, maxLength: 128, pattern: '^\\w+$' })
export const KeyKind = Type.Enum(['OPERATOR', 'USER', 'CALLBACK'])
export const KeyRole = Type.Enum(['OPERATOR', 'REVIEWER', 'VIEWER'])
const KeyStatus = Type.Enum(['ACTIVE', 'SUSPENDED'])

export const KeySummary = Type.Object({
  AccessKeyId,
  Kind: KeyKind,
  Role: optional(KeyRole),
  SubjectArn: optional(ChimeArn),
  Directory: optional(Type.Boolean()),
  Name: optional(NonEmptyResourceName),
  Status: KeyStatus,
  CreatedTimestamp: Timestamp,
  ExpirationTimestamp: optional(Timestamp),
})

export type KeySummary = Static<typeof KeySummary>
