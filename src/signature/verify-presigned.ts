import { hash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { FindKey } from '../keys/key.ts'
import { authenticate, rejected } from './authenticate.ts'
import { canonicalHeader, canonicalRequest, canonicalUri, splitTarget } from './canonical.ts'
import { type Claim, rejectScope } from './claim.ts'
import { headerText, rejectHeaders, rejectPayload } from './covered.ts'
import {
  outdatedBecause,
  presignedClaim,
  presignedSkewMsMax,
  readExpires,
  readQuery,
  signedQueries,
} from './presigned.ts'
import { incomplete, invalid, isRejection, type Rejection, type Verified } from './rejection.ts'
import type { Expected, SignedRequest } from './verify-request.ts'

/** AWS's maximum for a signature in the query, seven days. */
const expiresSecondsMax = 604_800
/** AWS's default for X-Amz-Expires; also the maximum age of a signature for a call that changes something. */
const minutesMax = 15

const bearerName = 'x-amz-chime-bearer'

/**
 * Verifies a call with a signature in its query (`?X-Amz-Algorithm=…`), as presigners make it. Like `verifyRequest`, it
 * never throws.
 */
export async function verifyPresigned(
  request: SignedRequest,
  find: FindKey,
  expected: Expected,
  nowMs: number,
): Promise<Verified> {
  const { headers, method } = request
  const queryText = splitTarget(request.target).query
  const query = readQuery(queryText)
  if (headers.authorization !== undefined) {
    return rejected(incomplete('The signature must be in the Authorization header or in the query, not in both.'))
  }
  const claim = presignedClaim(query)
  if (isRejection(claim)) return rejected(claim)
  const outdated = rejectScope(claim, expected) ?? rejectTime(claim, query, method, nowMs)
  if (outdated) return rejected(outdated)
  const payloadHash = hash('sha256', request.body)
  const bearer = hoisted(query, headers, bearerName)
  const declaredHash = hoisted(query, headers, 'x-amz-content-sha256')
  if (isRejection(bearer)) return rejected(bearer)
  if (isRejection(declaredHash)) return rejected(declaredHash)
  const uncovered = rejectHeaders(claim, headers, ['host']) ?? rejectPayload(declaredHash.value, payloadHash)
  if (uncovered) return rejected(uncovered)
  const sessionToken = query.get('X-Amz-Security-Token') ?? headerText(headers, 'x-amz-security-token')
  const hosts = [headers.host ?? '', ...(expected.publicHosts ?? []).map((host) => host.toLowerCase())]
  const canonicalRequests = signedTexts(request, claim, payloadHash, queryText, hosts)
  const verified = await authenticate({ claim, sessionToken, canonicalRequests }, find, nowMs)
  return verified.ok && bearer.value !== undefined ? { ...verified, bearer: bearer.value } : verified
}

/**
 * A URL gets into logs and histories, and its call can be repeated from there. So a call that changes something is
 * accepted for a quarter of an hour at most, even if it was signed for longer.
 */
function rejectTime(claim: Claim, query: URLSearchParams, method: string, nowMs: number): Rejection | undefined {
  const expiresSeconds = readExpires(query.get('X-Amz-Expires') ?? String(minutesMax * 60), expiresSecondsMax)
  if (expiresSeconds === undefined) {
    return incomplete(`X-Amz-Expires must be a number of seconds from 1 to ${expiresSecondsMax}`)
  }
  const latestMs = method === 'GET' ? Number.POSITIVE_INFINITY : claim.timestampMs + minutesMax * 60_000
  const signedUntilMs = claim.timestampMs + expiresSeconds * 1000
  const untilMs = Math.min(signedUntilMs, latestMs)
  const acceptedUntilMs = Math.min(signedUntilMs + presignedSkewMsMax, latestMs)
  const problem = outdatedBecause(claim, { untilMs, acceptedUntilMs }, nowMs)
  if (problem === undefined) return undefined
  const rule = untilMs < signedUntilMs ? `; a ${method} is accepted for ${minutesMax} minutes at most` : ''
  return invalid('presigned URL is not valid now', `Signature expired or not yet current: ${problem}${rule}`)
}

/**
 * Presigners for browsers move `x-amz-` headers into the query, where they are signed with it. Some also keep the
 * header.
 */
function hoisted(
  query: URLSearchParams,
  headers: IncomingHttpHeaders,
  name: string,
): { value: string | undefined } | Rejection {
  const values = [...query].filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
  const header = headerText(headers, name)
  const given = new Set([...values, ...(header === undefined ? [] : [header])])
  if (values.length > 1 || given.size > 1) return incomplete(`${name} must be there once, in a header or in the query`)
  return { value: [...given][0] }
}

function* signedTexts(
  { method, target, headers }: SignedRequest,
  { signedHeaders }: Claim,
  payloadHash: string,
  queryText: string,
  hosts: readonly string[],
): Generator<string> {
  const uri = canonicalUri(splitTarget(target).path)
  for (const host of new Set(hosts)) {
    const values = { ...headers, host }
    const lines = signedHeaders.map((name) => canonicalHeader(name, headerText(values, name) ?? '')).join('')
    for (const query of signedQueries(queryText)) {
      const parts = { method, uri, query, headers: lines, signedHeaders: signedHeaders.join(';'), payloadHash }
      yield canonicalRequest(parts)
    }
  }
}
