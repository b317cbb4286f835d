import { incomplete, invalid, type Rejection } from './rejection.ts'

/** A service's name in a credential scope. `chime` is that of messaging, identity and the session's connect. */
export type SigningService = 'chime' | 'sts'

/** A real list is below 200 characters. */
const signedHeadersLengthMax = 2048

/** The signer's statements about a signature, well formed but not verified. */
export interface Claim {
  accessKeyId: string
  /** `yyyyMMdd/region/service/aws4_request` */
  scope: string
  /** `yyyyMMddTHHmmssZ` */
  timestamp: string
  timestampMs: number
  /** Lower case, in the order in which they were signed. */
  signedHeaders: string[]
  /** 64 lower-case hexadecimal digits. */
  signature: string
}

/** The four texts of a claim as received, from headers or from a query. */
interface ClaimParts {
  credential: string
  timestamp: string
  signedHeaders: string
  signature: string
}

/** 128 is the longest access key id of AWS (IAM API reference, "AccessKey"). */
const credentialPattern = /^([^/\s]{1,128})\/(\d{8}\/[\w.-]{1,64}\/[\w.-]{1,64}\/aws4_request)$/
const signaturePattern = /^[0-9a-f]{64}$/
const timestampPattern = /^\d{8}T\d{6}Z$/

export function readClaim(parts: ClaimParts): Claim | Rejection {
  const [, accessKeyId, scope] = credentialPattern.exec(parts.credential) ?? []
  if (accessKeyId === undefined || scope === undefined) {
    return incomplete("Credential must be '<access key id>/<yyyyMMdd>/<region>/<service>/aws4_request'")
  }
  if (parts.signedHeaders.length > signedHeadersLengthMax) {
    return incomplete(`SignedHeaders must have at most ${signedHeadersLengthMax} characters`)
  }
  if (!signaturePattern.test(parts.signature)) return incomplete('Signature must be 64 lower-case hexadecimal digits')
  const timestampMs = parseTimestamp(parts.timestamp)
  if (timestampMs === undefined) return incomplete("The date of the signature must be written 'yyyyMMddTHHmmssZ'")
  return {
    accessKeyId,
    scope,
    timestamp: parts.timestamp,
    timestampMs,
    signedHeaders: parts.signedHeaders.split(';'),
    signature: parts.signature,
  }
}

/** A signature is valid for one service, one region and one day. */
export function rejectScope(
  { scope, timestamp }: Claim,
  { region, service }: { region: string; service: SigningService },
): Rejection | undefined {
  const date = timestamp.slice(0, 8)
  if (scope === `${date}/${region}/${service}/aws4_request`) return undefined
  const [signedDate, signedRegion, signedService] = scope.split('/')
  if (signedService !== service) {
    return invalid(
      `service is ${signedService}, expected ${service}`,
      `Credential should be scoped to correct service: '${service}', not '${signedService}'.`,
    )
  }
  if (signedRegion !== region) {
    return invalid(
      `region is ${signedRegion}, expected ${region}`,
      `Credential should be scoped to the region of this server, '${region}', not '${signedRegion}'.`,
    )
  }
  return invalid(
    'scope date differs',
    `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${signedDate}' != '${date}', from '${timestamp}'.`,
  )
}

/** `yyyyMMddTHHmmssZ` to milliseconds since the epoch. */
function parseTimestamp(timestamp: string): number | undefined {
  if (!timestampPattern.test(timestamp)) return undefined
  const number = (from: number, to: number) => Number(timestamp.slice(from, to))
  return Date.UTC(number(0, 4), number(4, 6) - 1, number(6, 8), number(9, 11), number(11, 13), number(13, 15))
}

/** Milliseconds since the epoch to `yyyyMMddTHHmmssZ`. */
export const formatTimestamp = (atMs: number) => new Date(atMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
