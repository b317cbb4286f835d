import { timingSafeEqual } from 'node:crypto'
import type { FindKey } from '../keys/key.ts'
import { stringToSign } from './canonical.ts'
import type { Claim } from './claim.ts'
import { expiredToken, invalid, type Rejection, unrecognizedClient, type Verified } from './rejection.ts'
import { hmac, signingKey } from './signing-key.ts'

/** The log shows so much of a canonical request. A real one is half as long. */
const loggedLengthMax = 4096

/** The signed parts of a call, to be checked with the key of the claim. */
interface Evidence {
  claim: Claim
  sessionToken: string | undefined
  /** Each form that the signer may have signed, the most likely first. */
  canonicalRequests: Iterable<string>
}

/** Finds the key and checks that its holder signed one of the canonical requests. Rejects only when `find` does. */
export async function authenticate(evidence: Evidence, find: FindKey, nowMs: number): Promise<Verified> {
  const { accessKeyId } = evidence.claim
  const credentials = await find(accessKeyId, evidence.sessionToken)
  if (!credentials) return rejected(unrecognizedClient('unknown access key', accessKeyId))
  if (!isSame(evidence.sessionToken, credentials.sessionToken)) {
    return rejected(unrecognizedClient('the session token is not the one of the access key', accessKeyId))
  }
  const mismatch = rejectSignature(evidence, credentials.secretAccessKey)
  if (mismatch) return rejected(mismatch)
  // The key's suspension is reported first, by the code that knows what the call is.
  if (!credentials.suspended && credentials.expiresAtMs !== undefined && credentials.expiresAtMs <= nowMs) {
    return rejected(expiredToken(accessKeyId))
  }
  return { ok: true, credentials }
}

export const rejected = (rejection: Rejection): { ok: false; rejection: Rejection } => ({ ok: false, rejection })

function rejectSignature({ claim, canonicalRequests }: Evidence, secretAccessKey: string): Rejection | undefined {
  const key = signingKey(secretAccessKey, claim.scope)
  let mostLikely: { canonicalRequest: string; stringToSign: string } | undefined
  for (const canonicalRequest of canonicalRequests) {
    const signed = stringToSign(claim.timestamp, claim.scope, canonicalRequest)
    if (isEqual(hmac(key, signed), claim.signature)) return undefined
    mostLikely ??= { canonicalRequest, stringToSign: signed }
  }
  return invalid(
    'the signature does not match (check the secret key and the Host header)',
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key ' +
      'and signing method, and that nothing on the way changes the path, the query, the Host header or the body.',
    mostLikely && { ...mostLikely, canonicalRequest: forLog(mostLikely.canonicalRequest) },
  )
}

/** Compared with the signer's own, it shows the differences line by line. The session token is a secret. */
const forLog = (canonicalRequest: string) =>
  canonicalRequest.slice(0, loggedLengthMax).replace(/(x-amz-security-token[:=])[^\n&]+/gi, '$1…')

function isSame(given: string | undefined, expected: string | undefined): boolean {
  return given === undefined || expected === undefined ? given === expected : isEqual(given, expected)
}

/** Takes constant time, so that an attacker cannot find out a secret piece by piece. */
function isEqual(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
