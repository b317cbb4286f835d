import { hash } from 'node:crypto'
import type { FindKey, Key } from '../keys/key.ts'
import { authenticate } from './authenticate.ts'
import { canonicalHeader, canonicalRequest, splitTarget } from './canonical.ts'
import { type Claim, rejectScope } from './claim.ts'
import {
  outdatedBecause,
  presignedClaim,
  presignedSkewMsMax,
  readExpires,
  readQuery,
  signedQueries,
} from './presigned.ts'
import { isRejection } from './rejection.ts'

/** The upgrade request of a messaging session. */
export interface ConnectRequest {
  /** Path and query, as Node's `request.url` has them. */
  target: string
  /** The Host header. */
  host: string
}

/** The parameters of the connect (AWS's page "Using websockets to receive messages"). */
export interface ConnectParameters {
  userArn: string
  sessionId: string
  prefetchOn?: 'connect'
  prefetchSortBy?: string
}

export type VerifiedConnect =
  | { ok: true; credentials: Key; parameters: ConnectParameters }
  /** Fits the reason of a WebSocket close frame. */
  | { ok: false; reason: string }

interface Expected {
  region: string
  /** Host names that clients use, for a proxy that puts another one into the Host header. */
  publicHosts?: readonly string[]
}

/** Clients sign for 10 seconds. */
const expiresSecondsMax = 86_400
/** RFC 6455 leaves so many of a control frame's 125 bytes to the reason. */
const reasonBytesMax = 123

const emptyPayloadHash = hash('sha256', '')

/**
 * Verifies the presigned URL of a session's connect (`GET /connect?X-Amz-…`) by AWS Signature Version 4. It never
 * throws, whatever the caller sends; it rejects only when `find` does.
 */
export async function verifyConnect(
  { target, host }: ConnectRequest,
  find: FindKey,
  { region, publicHosts = [] }: Expected,
  nowMs: number,
): Promise<VerifiedConnect> {
  const queryText = splitTarget(target).query
  const query = readQuery(queryText)
  const claim = claimOf(query)
  if (typeof claim === 'string') return unauthorized(claim)
  const outdated = rejectScope(claim, { region, service: 'chime' })?.detail.problem ?? rejectTime(claim, query, nowMs)
  if (outdated !== undefined) return unauthorized(outdated)
  const sessionToken = query.get('X-Amz-Security-Token') ?? undefined
  const canonicalRequests = signedTexts(queryText, new Set([host, ...publicHosts]))
  const verified = await authenticate({ claim, sessionToken, canonicalRequests }, find, nowMs)
  if (!verified.ok) return unauthorized(verified.rejection.detail.problem)
  return { ok: true, credentials: verified.credentials, parameters: connectParameters(query) }
}

function unauthorized(problem: string): { ok: false; reason: string } {
  const bytes = Buffer.from(`Unauthorized: ${problem}`).subarray(0, reasonBytesMax)
  // `stream` drops a character that was cut in two.
  return { ok: false, reason: new TextDecoder().decode(bytes, { stream: true }) }
}

/** Returns the claim, or its problem. */
function claimOf(query: URLSearchParams): Claim | string {
  const missing = ['X-Amz-Expires', 'userArn', 'sessionId'].find((name) => !query.get(name))
  const claim = presignedClaim(query)
  if (isRejection(claim)) return claim.detail.problem
  if (missing !== undefined) return `${missing} is missing`
  return query.get('X-Amz-SignedHeaders') === 'host' ? claim : 'X-Amz-SignedHeaders must be host'
}

function rejectTime(claim: Claim, query: URLSearchParams, nowMs: number): string | undefined {
  const expiresSeconds = readExpires(query.get('X-Amz-Expires') ?? '', expiresSecondsMax)
  if (expiresSeconds === undefined) return `X-Amz-Expires must be a number of seconds from 1 to ${expiresSecondsMax}`
  const untilMs = claim.timestampMs + expiresSeconds * 1000
  return outdatedBecause(claim, { untilMs, acceptedUntilMs: untilMs + presignedSkewMsMax }, nowMs)
}

function* signedTexts(queryText: string, hosts: Iterable<string>): Generator<string> {
  for (const host of hosts) {
    const headers = canonicalHeader('host', host.toLowerCase())
    for (const query of signedQueries(queryText)) {
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

function connectParameters(query: URLSearchParams): ConnectParameters {
  const prefetchSortBy = query.get('prefetch-sort-by')
  return {
    userArn: query.get('userArn')!,
    sessionId: query.get('sessionId')!,
    ...(query.get('prefetch-on') === 'connect' && { prefetchOn: 'connect' as const }),
    ...(prefetchSortBy !== null && { prefetchSortBy }),
  }
}
