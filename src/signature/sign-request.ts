import { hash } from 'node:crypto'
import type { Credentials } from '../keys/key.ts'
import {
  canonicalHeader,
  canonicalQuery,
  canonicalRequest,
  canonicalUri,
  splitTarget,
  stringToSign,
} from './canonical.ts'
import { formatTimestamp } from './claim.ts'
import { hmac, signingKey } from './signing-key.ts'

/** An outgoing call, as it will be sent. */
export interface UnsignedRequest {
  method: string
  /** Path and query. */
  target: string
  /** Names in lower case, including `host`. All of them are signed, so a proxy must not change them. */
  headers: Record<string, string>
  body: string | Uint8Array
}

/** Returns the headers to send: the request's own, and those that AWS Signature Version 4 adds, signed at `nowMs`. */
export function signRequest(
  { method, target, headers, body }: UnsignedRequest,
  { accessKeyId, secretAccessKey, sessionToken }: Credentials,
  { region, service }: { region: string; service: string },
  nowMs: number,
): Record<string, string> {
  const timestamp = formatTimestamp(nowMs)
  const scope = `${timestamp.slice(0, 8)}/${region}/${service}/aws4_request`
  const payloadHash = hash('sha256', body)
  const signed: Record<string, string> = {
    ...headers,
    'x-amz-content-sha256': payloadHash,
    'x-amz-date': timestamp,
    ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
  }
  const names = Object.keys(signed).sort()
  const signedHeaders = names.join(';')
  const { path, query } = splitTarget(target)
  const canonical = canonicalRequest({
    method,
    uri: canonicalUri(path),
    query: canonicalQuery(query),
    headers: names.map((name) => canonicalHeader(name, signed[name] ?? '')).join(''),
    signedHeaders,
    payloadHash,
  })
  const signature = hmac(signingKey(secretAccessKey, scope), stringToSign(timestamp, scope, canonical))
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`
  return { ...signed, authorization }
}
