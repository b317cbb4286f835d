import type { IncomingHttpHeaders } from 'node:http'
import type { Claim } from './claim.ts'
import { incomplete, invalid, type Refusal } from './refusal.ts'

/*
 * What a signature has to cover, wherever it stands.
 */

/** Undefined for what a plain object inherits, too: a caller may sign a header named `constructor`. */
export function headerText(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value: unknown = headers[name]
  if (Array.isArray(value)) return value.join(',')
  return typeof value === 'string' ? value : undefined
}

/** What decides who acts, where and when has to be signed, or someone on the way could add or change it. */
export function refuseHeaders(
  { signedHeaders }: Claim,
  headers: IncomingHttpHeaders,
  required: readonly string[],
): Refusal | undefined {
  const present = ['x-amz-chime-bearer', 'x-amz-security-token'].filter((name) => headers[name] !== undefined)
  const unsigned = [...required, ...present].find((name) => !signedHeaders.includes(name))
  if (unsigned !== undefined) {
    return invalid(`${unsigned} is not signed`, `'${unsigned}' must be a 'SignedHeader' in the AWS Authorization.`)
  }
  const absent = signedHeaders.find((name) => headerText(headers, name) === undefined)
  if (absent === undefined) return undefined
  return invalid(`signed header ${absent} is missing`, `The header '${absent}' is signed but did not arrive.`)
}

/** `declared`: what the caller says the hash of the body is, if it says so. */
export function refusePayload(declared: string | undefined, payloadHash: string): Refusal | undefined {
  if (declared === undefined || declared === payloadHash) return undefined
  if (/^(UNSIGNED|STREAMING)-/.test(declared)) {
    return incomplete(
      "'x-amz-content-sha256' must be the hash of the body: unsigned and streaming payloads are not taken.",
    )
  }
  return invalid(
    'body hash differs from x-amz-content-sha256',
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
  )
}
