import Type from 'typebox'
import { badRequest } from '../../contract/api-error.ts'
import type { Reason } from '../../flow/transition.ts'

const codeText = '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'
const codePattern = new RegExp(codeText)
const textLengthMax = 256

/** The shapes of a reason, for a person's denial. */
export const ReasonCode = Type.String({ minLength: 1, maxLength: 64, pattern: codeText })
export const ReasonText = Type.String({ maxLength: textLengthMax })

/**
 * The reason of a denial, which a processor may give in the Metadata of its callback:
 *
 *     {"carillon": {"reason": {"code": "PROFANITY", "text": "Please keep it friendly"}}}
 *
 * Undefined if the Metadata is anything else: it is the application's own. Throws a BadRequest if it has the member
 * `carillon` and is not of this form.
 */
export function readDenialReason(metadata: string | undefined): Reason | undefined {
  const own = objectOf(parse(metadata ?? ''))?.carillon
  if (own === undefined) return undefined
  const { code, text = '' } = objectOf(objectOf(own)?.reason) ?? {}
  if (typeof code === 'string' && codePattern.test(code) && typeof text === 'string' && text.length <= textLengthMax) {
    return { code, text }
  }
  throw badRequest(
    'Metadata with the member "carillon" must be {"carillon":{"reason":{"code","text"}}}: ' +
      `the code has 1 to 64 letters, digits, "_", "." and "-", the text has at most ${textLengthMax} characters`,
  )
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const objectOf = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
