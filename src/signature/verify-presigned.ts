import { hash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { authenticate, refused } from './authenticate.ts'
import { canonicalHeader, canonicalRequest, canonicalUri, splitTarget } from './canonical.ts'
import { type Claim, refuseScope } from './claim.ts'
import { headerText, refuseHeaders, refusePayload } from './covered.ts'
import type { FindCredentials } from './credentials.ts'
import {
  outdatedBecause,
  presignedClaim,
  presignedSkewMsMax,
  readExpires,
  readQuery,
  signedQueries,
} from './presigned.ts'
import { incomplete, invalid, isRefusal, type Refusal, type Verified } from './refusal.ts'
import type { Expected, SignedRequest } from './verify-request.ts'

/** AWS's maximum for a signature in the query, seven days. */
const expiresSecondsMax = 604_800
/** What AWS takes for X-Amz-Expires where it is absent; and how long at most a call that changes something may come. */
const minutesMax = 15

const bearerName = 'x-amz-chime-bearer'

/**
 * Checks a call whose signature stands in its query (`?X-Amz-Algorithm=…`), as presigners make it. Like `verifyRequest`,
 * it never throws.
 */
export async function verifyPresigned(
  request: SignedRequest,
  find: FindCredentials,
  { region, publicHosts = [] }: Expected,
  nowMs: number,
): Promise<Verified> {
  const { headers, method } = request
  const queryText = splitTarget(request.target).query
  const query = readQuery(queryText)
  if (headers.authorization !== undefined) {
    return refused(incomplete('The signature must be in the Authorization header or in the query, not in both.'))
  }
  const claim = presignedClaim(query)
  if (isRefusal(claim)) return refused(claim)
  const outdated = refuseScope(claim, region) ?? refuseTime(claim, query, method, nowMs)
  if (outdated) return refused(outdated)
  const payloadHash = hash('sha256', request.body)
  const bearer = hoisted(query, headers, bearerName)
  const declaredHash = hoisted(query, headers, 'x-amz-content-sha256')
  if (isRefusal(bearer)) return refused(bearer)
  if (isRefusal(declaredHash)) return refused(declaredHash)
  const uncovered = refuseHeaders(claim, headers, ['host']) ?? refusePayload(declaredHash.value, payloadHash)
  if (uncovered) return refused(uncovered)
  const sessionToken = query.get('X-Amz-Security-Token') ?? headerText(headers, 'x-amz-security-token')
  const hosts = [headers.host ?? '', ...publicHosts.map((host) => host.toLowerCase())]
  const canonicalRequests = signedTexts(request, claim, payloadHash, queryText, hosts)
  const verified = await authenticate({ claim, sessionToken, canonicalRequests }, find, nowMs)
  return verified.ok && bearer.value !== undefined ? { ...verified, bearer: bearer.value } : verified
}

/**
 * An address gets into logs and histories, and its call can be repeated from there. A call that changes something is
 * therefore accepted for a quarter of an hour at most, even if it was signed for longer.
 */
function refuseTime(claim: Claim, query: URLSearchParams, method: string, nowMs: number): Refusal | undefined {
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
  const rule = untilMs < signedUntilMs ? `; a ${method} may come for ${minutesMax} minutes at most` : ''
  return invalid('presigned address is not good now', `Signature expired or not yet current: ${problem}${rule}`)
}

/**
 * Presigners for browsers move `x-amz-` headers into the query, where they are signed with it. Some leave the header
 * where it was as well.
 */
function hoisted(
  query: URLSearchParams,
  headers: IncomingHttpHeaders,
  name: string,
): { value: string | undefined } | Refusal {
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
