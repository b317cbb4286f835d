import { canonicalQuery } from './canonical.ts'
import { type Claim, formatTimestamp, readClaim } from './claim.ts'
import { incomplete, type Rejection } from './rejection.ts'

/*
 * A signature in the query: of a session's connect, and of any call that a presigner has signed.
 */

/** Clients sign for seconds by their own clock, so a small clock skew must not lock them out. */
export const presignedSkewMsMax = 5 * 60_000

const requiredParameters = [
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-SignedHeaders',
  'X-Amz-Signature',
]

/** Whether the query has a signature, or half of one. */
export const isPresigned = (queryText: string) => /(?:^|&)X-Amz-(?:Algorithm|Credential|Signature)=/.test(queryText)

/** Signers treat `+` as a plus, while URLSearchParams reads a space. */
export const readQuery = (queryText: string) => new URLSearchParams(queryText.replaceAll('+', '%2B'))

export function presignedClaim(query: URLSearchParams): Claim | Rejection {
  const missing = requiredParameters.find((name) => !query.get(name))
  if (missing !== undefined) return incomplete(`${missing} is missing`)
  const repeated = requiredParameters.find((name) => query.getAll(name).length > 1)
  if (repeated !== undefined) return incomplete(`${repeated} must be there once`)
  if (query.get('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256') {
    return incomplete('X-Amz-Algorithm must be AWS4-HMAC-SHA256')
  }
  return readClaim({
    credential: query.get('X-Amz-Credential')!,
    timestamp: query.get('X-Amz-Date')!,
    signedHeaders: query.get('X-Amz-SignedHeaders')!,
    signature: query.get('X-Amz-Signature')!,
  })
}

/** X-Amz-Expires, or undefined if it is not a number of seconds from 1 to the maximum. */
export function readExpires(text: string, secondsMax: number): number | undefined {
  const seconds = Number(text)
  return /^\d{1,6}$/.test(text) && seconds >= 1 && seconds <= secondsMax ? seconds : undefined
}

/** Returns why a signature is not valid now: it is valid until `untilMs`, and accepted until `acceptedUntilMs`. */
export function outdatedBecause(
  { timestamp, timestampMs }: Claim,
  { untilMs, acceptedUntilMs }: { untilMs: number; acceptedUntilMs: number },
  nowMs: number,
): string | undefined {
  if (nowMs <= acceptedUntilMs && nowMs >= timestampMs - presignedSkewMsMax) return undefined
  const here = `it is ${formatTimestamp(nowMs)} here (check the clock)`
  return nowMs > untilMs
    ? `the signature was valid until ${formatTimestamp(untilMs)}, ${here}`
    : `the signature is dated ${timestamp}, ${here}`
}

/**
 * Yields the forms of the query that may have been signed. Clients encode differently (`encodeURIComponent`, a form's
 * encoding, RFC 3986) and all sign the query that they send, so the received form is first, then the standard's form.
 * A form is built only if the one before does not match, which is rare.
 */
export function* signedQueries(queryText: string): Generator<string> {
  const pairs = queryText.split('&').filter((pair) => !pair.startsWith('X-Amz-Signature='))
  const sent = pairs.join('&')
  yield sent
  const sorted = pairs.toSorted(byName).join('&')
  if (sorted !== sent) yield sorted
  const canonical = canonicalQuery(sent)
  if (canonical !== sent && canonical !== sorted) yield canonical
}

function byName(one: string, other: string): number {
  const [a = '', b = ''] = [one.split('=', 1)[0], other.split('=', 1)[0]]
  return a < b ? -1 : Number(a > b)
}
