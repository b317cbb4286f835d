import { hash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { authenticate, refused } from './authenticate.ts'
import { canonicalHeader, canonicalQuery, canonicalRequest, canonicalUri, splitTarget } from './canonical.ts'
import { type Claim, formatTimestamp, readClaim, refuseScope } from './claim.ts'
import { headerText, refuseHeaders, refusePayload } from './covered.ts'
import type { FindCredentials } from './credentials.ts'
import { isPresigned } from './presigned.ts'
import { incomplete, invalid, isRefusal, missingAuthenticationToken, type Refusal, type Verified } from './refusal.ts'
import { verifyPresigned } from './verify-presigned.ts'

/** A call as it came over the wire. Decoding or tidying it up first breaks its signature. */
export interface SignedRequest {
  method: string
  /** Path and query, as Node's `request.url` has them. */
  target: string
  headers: IncomingHttpHeaders
  /** All of it, because the signature covers its hash. */
  body: Uint8Array
}

export interface Expected {
  region: string
  /** Names that clients call when a proxy puts another one into the Host header. */
  publicHosts?: readonly string[]
}

/** How far the caller's clock may be off, either way (AWS's page "Common Errors"). */
const skewMinutesMax = 15

const algorithm = 'AWS4-HMAC-SHA256'
const authorizationParameters = ['Credential', 'SignedHeaders', 'Signature']

/**
 * Checks the signature of a call by AWS Signature Version 4, in its Authorization header or in its query. It never throws,
 * whatever the caller sends; it rejects only when `find` does.
 */
export async function verifyRequest(
  request: SignedRequest,
  find: FindCredentials,
  expected: Expected,
  nowMs: number,
): Promise<Verified> {
  const { headers } = request
  if (isPresigned(splitTarget(request.target).query)) return verifyPresigned(request, find, expected, nowMs)
  const claim = claimOf(headers)
  if (isRefusal(claim)) return refused(claim)
  const outdated = refuseScope(claim, expected.region) ?? refuseSkew(claim, nowMs)
  if (outdated) return refused(outdated)
  const payloadHash = hash('sha256', request.body)
  const date = headers['x-amz-date'] === undefined ? 'date' : 'x-amz-date'
  const uncovered =
    refuseHeaders(claim, headers, ['host', date]) ??
    refusePayload(headerText(headers, 'x-amz-content-sha256'), payloadHash)
  if (uncovered) return refused(uncovered)
  const sessionToken = headerText(headers, 'x-amz-security-token')
  const canonicalRequests = signedTexts(request, claim, payloadHash, expected.publicHosts)
  return authenticate({ claim, sessionToken, canonicalRequests }, find, nowMs)
}

function claimOf(headers: IncomingHttpHeaders): Claim | Refusal {
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

/** When it was signed, as `yyyyMMddTHHmmssZ`. A Date header has HTTP's format, or mail's, which boto writes. */
function timestampOf(headers: IncomingHttpHeaders): string | undefined {
  const text = headerText(headers, 'x-amz-date') ?? headerText(headers, 'date')
  if (text === undefined || !/ (GMT|[+-]0000)$/.test(text)) return text
  const atMs = Date.parse(text)
  return Number.isNaN(atMs) ? text : formatTimestamp(atMs)
}

/** In AWS's wording, out of whose parentheses some SDKs read the server's time to correct their own. */
function refuseSkew({ timestamp, timestampMs }: Claim, nowMs: number): Refusal | undefined {
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

/** For the Host header as it came, and only then for the names that the client may have called. */
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
