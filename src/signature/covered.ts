import type { IncomingHttpHeaders } from 'node:http'
import type { Claim } from './claim.ts'
import { incomplete, invalid, type Rejection } from './rejection.ts'

/*
 * The parts that a signature must cover, in the header or in the query.
 */

/** Undefined also for inherited properties of a plain object: a caller may sign a header named `constructor`. */
export function headerText(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value: unknown = headers[name]
  if (Array.isArray(value)) return value.join(',')
  return typeof value === 'string' ? value : undefined
}

/** The user, the host and the time must be signed, or an intermediary could add or change them. */
export function rejectHeaders(
  { signedHeaders }: Claim,
  headers: IncomingHttpHeaders,
  required: readonly string[],
): Rejection | undefined {
  const present = ['x-amz-chime-bearer', 'x-amz-security-token'].filter((name) => headers[name] !== undefined)
  const unsigned = [...required, ...present].find((name) => !signedHeaders.includes(name))
  if (unsigned !== undefined) {
    return invalid(`${unsigned} is not signed`, `'${unsigned}' must be a 'SignedHeader' in the AWS Authorization.`)
  }
  const absent = signedHeaders.find((name) => headerText(headers, name) === undefined)
  if (absent === undefined) return undefined
  return invalid(`signed header ${absent} is missing`, `The header '${absent}' is signed but did not arrive.`)
}

/** `declared`: the hash of the body according to the caller, if it is there. */
export function rejectPayload(declared: string | undefined, payloadHash: string): Rejection | undefined {
  if (declared === undefined || declared === payloadHash) return undefined
  if (/^(UNSIGNED|STREAMING)-/.test(declared)) {
    return incomplete(
      "'x-amz-content-sha256' must be the hash of the body: unsigned and streaming payloads are not accepted.",
    )
  }
  return invalid(
    'body hash differs from x-amz-content-sha256',
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
  )
}
