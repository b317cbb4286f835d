import Type, { type Static } from 'typebox'
import { optional } from '../../contract/binding.ts'

/** Something that is wrong, with what to do about it. */
export const Finding = Type.Object({
  Kind: Type.Enum([
    'CHANNELS_WITHOUT_FLOW',
    'FUNCTION_MISSING',
    'PROCESSOR_SILENT',
    'PROCESSOR_PAUSED',
    'CHECK_FAILED',
    'LIMIT_LOW',
  ]),
  /** An ARN, the name of a function, or of a check or limit. */
  Subject: optional(Type.String()),
  Problem: Type.String(),
  Remedy: Type.String(),
})
export type Finding = Static<typeof Finding>
