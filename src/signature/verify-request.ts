import { hash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { FindKey } from '../keys/key.ts'
import { authenticate, rejected } from './authenticate.ts'
import { canonicalHeader, canonicalQuery, canonicalRequest, canonicalUri, splitTarget } from './canonical.ts'
import { type Claim, formatTimestamp, readClaim, rejectScope, type SigningService } from './claim.ts'
import { headerText, rejectHeaders, rejectPayload } from './covered.ts'
import { isPresigned } from './presigned.ts'
import {
  incomplete,
  invalid,
  isRejection,
  missingAuthenticationToken,
  type Rejection,
  type Verified,
} from './rejection.ts'
import { verifyPresigned } from './verify-presigned.ts'

/** A call as received. Decoding or normalising it first breaks its signature. */
export interface SignedRequest {
  method: string
  /** Path and query, as Node's `request.url` has them. */
  target: string
  headers: IncomingHttpHeaders
  /** The whole body, because the signature covers its hash. */
  body: Uint8Array
}

export interface Expected {
  region: string
  service: SigningService
  /** Host names that clients use, for a proxy that puts another one into the Host header. */
  publicHosts?: readonly string[]
}

/** Maximum clock skew of the caller, either way (AWS's page "Common Errors"). */
const skewMinutesMax = 15

const algorithm = 'AWS4-HMAC-SHA256'
const authorizationParameters = ['Credential', 'SignedHeaders', 'Signature']

/**
 * Verifies the signature of a call by AWS Signature Version 4, in its Authorization header or in its query. It never
 * throws, whatever the caller sends; it rejects only when `find` does.
 */
export async function verifyRequest(
  request: SignedRequest,
  find: FindKey,
  expected: Expected,
  nowMs: number,
): Promise<Verified> {
  const { headers } = request
  if (isPresigned(splitTarget(request.target).query)) return verifyPresigned(request, find, expected, nowMs)
  const claim = claimOf(headers)
  if (isRejection(claim)) return rejected(claim)
  const outdated = rejectScope(claim, expected) ?? rejectSkew(claim, nowMs)
  if (outdated) return rejected(outdated)
  const payloadHash = hash('sha256', request.body)
  const date = headers['x-amz-date'] === undefined ? 'date' : 'x-amz-date'
  const uncovered =
    rejectHeaders(claim, headers, ['host', date]) ??
    rejectPayload(headerText(headers, 'x-amz-content-sha256'), payloadHash)
  if (uncovered) return rejected(uncovered)
  const sessionToken = headerText(headers, 'x-amz-security-token')
  const canonicalRequests = signedTexts(request, claim, payloadHash, expected.publicHosts)
  return authenticate({ claim, sessionToken, canonicalRequests }, find, nowMs)
}

function claimOf(headers: IncomingHttpHeaders): Claim | Rejection {
  const authorization = headerText(headers, 'authorization')
  if (authorization === undefined) return missingAuthenticationToken
  if (!authorization.startsWith(`${algorithm} `)) return incomplete(`Authorization header requires '${algorithm}'.`)
  const pairs = authorization.slice(algorithm.length).split(',').map(toPair)
  const parameters = new Map(pairs)
  const missing = authorizationParameters
    .filter((name) => !parameters.has(name))
    .map((name) => `Authorization header requires '${name}' parameter.`)
  const timestamp = timestampOf(headers)
  if (timestamp === undefined) {
    missing.push("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
  }
  if (missing.length > 0) return incomplete(missing.join(' '))
  if (pairs.length > parameters.size) return incomplete('Authorization header requires each parameter once.')
  return readClaim({
    credential: parameters.get('Credential')!,
    signedHeaders: parameters.get('SignedHeaders')!,
    signature: parameters.get('Signature')!,
    timestamp: timestamp!,
  })
}

function toPair(parameter: string): [name: string, value: string] {
  const [name = '', value = ''] = parameter.split('=', 2)
  return [name.trim(), value.trim()]
}

/**
 * The time of the signature, as `yyyyMMddTHHmmssZ`. A Date header has HTTP's format, or that of mail, which boto
 * writes.
 */
function timestampOf(headers: IncomingHttpHeaders): string | undefined {
  const text = headerText(headers, 'x-amz-date') ?? headerText(headers, 'date')
  if (text === undefined || !/ (GMT|[+-]0000)$/.test(text)) return text
  const atMs = Date.parse(text)
  return Number.isNaN(atMs) ? text : formatTimestamp(atMs)
}

/** In AWS's wording: some SDKs read the server's time from its parentheses to correct their own. */
function rejectSkew({ timestamp, timestampMs }: Claim, nowMs: number): Rejection | undefined {
  const skewMsMax = skewMinutesMax * 60_000
  if (Math.abs(timestampMs - nowMs) <= skewMsMax) return undefined
  const now = formatTimestamp(nowMs)
  const earliest = formatTimestamp(nowMs - skewMsMax)
  const latest = formatTimestamp(nowMs + skewMsMax)
  const message =
    timestampMs < nowMs
      ? `Signature expired: ${timestamp} is now earlier than ${earliest} (${now} - ${skewMinutesMax} min.)`
      : `Signature not yet current: ${timestamp} is still later than ${latest} (${now} + ${skewMinutesMax} min.)`
  return invalid('clock skew', message, { requestTime: timestamp, serverTime: now })
}

/** First with the received Host header, then with the host names that the client may have used. */
function* signedTexts(request: SignedRequest, claim: Claim, payloadHash: string, publicHosts: readonly string[] = []) {
  yield signedText(request, claim, payloadHash)
  for (const host of publicHosts) {
    yield signedText({ ...request, headers: { ...request.headers, host: host.toLowerCase() } }, claim, payloadHash)
  }
}

function signedText({ method, target, headers }: SignedRequest, { signedHeaders }: Claim, payloadHash: string): string {
  const { path, query } = splitTarget(target)
  return canonicalRequest({
    method,
    uri: canonicalUri(path),
    query: canonicalQuery(query),
    headers: signedHeaders.map((name) => canonicalHeader(name, headerText(headers, name) ?? '')).join(''),
    signedHeaders: signedHeaders.join(';'),
    payloadHash,
  })
}
