import { hash } from 'node:crypto'
import { authenticate } from './authenticate.ts'
import { canonicalHeader, canonicalQuery, canonicalRequest, splitTarget } from './canonical.ts'
import { type Claim, formatTimestamp, readClaim, refuseScope } from './claim.ts'
import type { Credentials, FindCredentials } from './credentials.ts'
import { isRefusal } from './refusal.ts'

/** The upgrade request of a messaging session. */
export interface ConnectRequest {
  /** Path and query, as Node's `request.url` has them. */
  target: string
  /** The Host header. */
  host: string
}

/** What the client asks for (AWS's page "Using websockets to receive messages"). */
export interface ConnectParameters {
  userArn: string
  sessionId: string
  prefetchOn?: 'connect'
  prefetchSortBy?: string
}

export type VerifiedConnect =
  | { ok: true; credentials: Credentials; parameters: ConnectParameters }
  /** Fits the reason of a WebSocket close frame. */
  | { ok: false; reason: string }

interface Expected {
  region: string
  /** Names that clients connect to when a proxy puts another one into the Host header. */
  publicHosts?: readonly string[]
}

/** Clients sign for 10 seconds by their own clock, so a clock that is a little off must not lock them out. */
const skewMsMax = 5 * 60_000
const expiresSecondsMax = 86_400
/** RFC 6455 leaves this much of a control frame's 125 bytes to the reason. */
const reasonBytesMax = 123

const emptyPayloadHash = hash('sha256', '')

const requiredParameters = [
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-SignedHeaders',
  'X-Amz-Signature',
  'userArn',
  'sessionId',
]

/**
 * Checks the presigned address of a session's connect (`GET /connect?X-Amz-…`) by AWS Signature Version 4. It never
 * throws, whatever the caller sends; it rejects only when `find` does.
 */
export async function verifyConnect(
  { target, host }: ConnectRequest,
  find: FindCredentials,
  { region, publicHosts = [] }: Expected,
  nowMs: number,
): Promise<VerifiedConnect> {
  const queryText = splitTarget(target).query
  // A `+` is a plus to every signer, while URLSearchParams reads a space.
  const query = new URLSearchParams(queryText.replaceAll('+', '%2B'))
  const claim = claimOf(query)
  if (typeof claim === 'string') return unauthorized(claim)
  const outdated = refuseScope(claim, region)?.detail.problem ?? outdatedBecause(claim, query, nowMs)
  if (outdated !== undefined) return unauthorized(outdated)
  const sessionToken = query.get('X-Amz-Security-Token') ?? undefined
  const canonicalRequests = signedTexts(queryText, new Set([host, ...publicHosts]))
  const verified = await authenticate({ claim, sessionToken, canonicalRequests }, find, nowMs)
  if (!verified.ok) return unauthorized(verified.refusal.detail.problem)
  return { ok: true, credentials: verified.credentials, parameters: connectParameters(query) }
}

function unauthorized(problem: string): { ok: false; reason: string } {
  const bytes = Buffer.from(`Unauthorized: ${problem}`).subarray(0, reasonBytesMax)
  // `stream` leaves out a character that was cut in two.
  return { ok: false, reason: new TextDecoder().decode(bytes, { stream: true }) }
}

/** The claim, or what is wrong with it. */
function claimOf(query: URLSearchParams): Claim | string {
  const missing = requiredParameters.find((name) => !query.get(name))
  if (missing !== undefined) return `${missing} is missing`
  if (query.get('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256') return 'X-Amz-Algorithm must be AWS4-HMAC-SHA256'
  if (query.get('X-Amz-SignedHeaders') !== 'host') return 'X-Amz-SignedHeaders must be host'
  const claim = readClaim({
    credential: query.get('X-Amz-Credential')!,
    timestamp: query.get('X-Amz-Date')!,
    signedHeaders: 'host',
    signature: query.get('X-Amz-Signature')!,
  })
  return isRefusal(claim) ? claim.detail.problem : claim
}

function outdatedBecause({ timestamp, timestampMs }: Claim, query: URLSearchParams, nowMs: number): string | undefined {
  const expires = query.get('X-Amz-Expires') ?? ''
  const expiresSeconds = Number(expires)
  if (!/^\d{1,5}$/.test(expires) || expiresSeconds < 1 || expiresSeconds > expiresSecondsMax) {
    return `X-Amz-Expires must be a number of seconds from 1 to ${expiresSecondsMax}`
  }
  const untilMs = timestampMs + expiresSeconds * 1000
  if (nowMs <= untilMs + skewMsMax && nowMs >= timestampMs - skewMsMax) return undefined
  const here = `it is ${formatTimestamp(nowMs)} here (check the clock)`
  return nowMs > untilMs
    ? `the signature was good until ${formatTimestamp(untilMs)}, ${here}`
    : `the signature is of ${timestamp}, ${here}`
}

/**
 * Clients differ in how they encode (`encodeURIComponent`, a form's encoding, RFC 3986) and all sign what they send, so
 * the query is taken as it came, and only then as the standard has it.
 */
function* signedTexts(queryText: string, hosts: Iterable<string>): Generator<string> {
  const pairs = queryText.split('&').filter((pair) => !pair.startsWith('X-Amz-Signature='))
  const queries = new Set([pairs.join('&'), pairs.toSorted(byName).join('&'), canonicalQuery(pairs.join('&'))])
  for (const host of hosts) {
    const headers = canonicalHeader('host', host.toLowerCase())
    for (const query of queries) {
      yield canonicalRequest({
        method: 'GET',
        uri: '/connect',
        query,
        headers,
        signedHeaders: 'host',
        payloadHash: emptyPayloadHash,
      })
    }
  }
}

function byName(one: string, other: string): number {
  const [a = '', b = ''] = [one.split('=', 1)[0], other.split('=', 1)[0]]
  return a < b ? -1 : Number(a > b)
}

function connectParameters(query: URLSearchParams): ConnectParameters {
  const prefetchSortBy = query.get('prefetch-sort-by')
  return {
    userArn: query.get('userArn')!,
    sessionId: query.get('sessionId')!,
    ...(query.get('prefetch-on') === 'connect' && { prefetchOn: 'connect' as const }),
    ...(prefetchSortBy !== null && { prefetchSortBy }),
  }
}
