import { timingSafeEqual } from 'node:crypto'
import { stringToSign } from './canonical.ts'
import type { Claim } from './claim.ts'
import type { FindCredentials } from './credentials.ts'
import { expiredToken, invalid, type Refusal, unrecognizedClient, type Verified } from './refusal.ts'
import { hmac, signingKey } from './signing-key.ts'

/** The log shows this much of a canonical request. A real one has half of it. */
const loggedLengthMax = 4096

/** What came with a call, to be held against the key that the claim names. */
interface Evidence {
  claim: Claim
  sessionToken: string | undefined
  /** Each form that the signer may have signed, the likeliest first. */
  canonicalRequests: Iterable<string>
}

/** Finds the key and checks that its holder signed one of the canonical requests. Rejects only when `find` does. */
export async function authenticate(evidence: Evidence, find: FindCredentials, nowMs: number): Promise<Verified> {
  const { accessKeyId } = evidence.claim
  const credentials = await find(accessKeyId)
  if (!credentials) return refused(unrecognizedClient('unknown access key', accessKeyId))
  if (!isSame(evidence.sessionToken, credentials.sessionToken)) {
    return refused(unrecognizedClient('the session token is not the one of the access key', accessKeyId))
  }
  const mismatch = refuseSignature(evidence, credentials.secretAccessKey)
  if (mismatch) return refused(mismatch)
  if (credentials.expiresAtMs !== undefined && credentials.expiresAtMs <= nowMs) {
    return refused(expiredToken(accessKeyId))
  }
  return { ok: true, credentials }
}

export const refused = (refusal: Refusal): { ok: false; refusal: Refusal } => ({ ok: false, refusal })

function refuseSignature({ claim, canonicalRequests }: Evidence, secretAccessKey: string): Refusal | undefined {
  const key = signingKey(secretAccessKey, claim.scope)
  let likeliest: { canonicalRequest: string; stringToSign: string } | undefined
  for (const canonicalRequest of canonicalRequests) {
    const signed = stringToSign(claim.timestamp, claim.scope, canonicalRequest)
    if (isEqual(hmac(key, signed), claim.signature)) return undefined
    likeliest ??= { canonicalRequest, stringToSign: signed }
  }
  return invalid(
    'the signature does not match (check the secret key and the Host header)',
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key ' +
      'and signing method, and that nothing on the way changes the path, the query, the Host header or the body.',
    likeliest && { ...likeliest, canonicalRequest: forLog(likeliest.canonicalRequest) },
  )
}

/** Compared with the signer's own, it shows line by line what differs. The session token is a secret. */
const forLog = (canonicalRequest: string) =>
  canonicalRequest.slice(0, loggedLengthMax).replace(/(x-amz-security-token[:=])[^\n&]+/gi, '$1…')

function isSame(given: string | undefined, expected: string | undefined): boolean {
  return given === undefined || expected === undefined ? given === expected : isEqual(given, expected)
}

/** Takes as long whatever differs, so that no secret can be found out piece by piece. */
function isEqual(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
