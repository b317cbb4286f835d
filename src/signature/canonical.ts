import { hash } from 'node:crypto'

/*
 * The two texts of AWS's page "Create a signed AWS API request": the canonical request and the string to sign.
 * Nothing here throws: malformed input gets some canonical form, which no signer has signed.
 */

/** The parts that a signature covers, in canonical form. */
interface CanonicalRequest {
  method: string
  uri: string
  query: string
  /** `name:value\n` for each signed header. */
  headers: string
  /** Joined with `;`. */
  signedHeaders: string
  /** SHA-256 of the body, hexadecimal. */
  payloadHash: string
}

export const canonicalRequest = ({ method, uri, query, headers, signedHeaders, payloadHash }: CanonicalRequest) =>
  `${method}\n${uri}\n${query}\n${headers}\n${signedHeaders}\n${payloadHash}`

/** `timestamp` is `yyyyMMddTHHmmssZ`, `scope` is `yyyyMMdd/region/service/aws4_request`. */
export const stringToSign = (timestamp: string, scope: string, canonical: string) =>
  `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${hash('sha256', canonical)}`

/** A request target, cut at its first `?`. */
export function splitTarget(target: string): { path: string; query: string } {
  const mark = target.indexOf('?')
  if (mark === -1) return { path: target, query: '' }
  return { path: target.slice(0, mark), query: target.slice(mark + 1) }
}

/** Only unreserved characters and escapes, and no segment that is empty, `.` or `..`: every SDK sends such paths. */
const plainPath = /^(?:\/(?!\.\.?(?:\/|$))[\w.~%-]+)+\/?$/

/**
 * The path of a request target, without its query. It is percent-encoded once more than it was received (`%2F` becomes
 * `%252F`), as for every service but S3, and dot segments are resolved, because clients send them but sign without.
 */
export function canonicalUri(path: string): string {
  if (plainPath.test(path)) return path.replaceAll('%', '%25')
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(percentEncode(segment))
  }
  const endsWithSlash = segments.length > 0 && path.endsWith('/')
  return `/${segments.join('/')}${endsWithSlash ? '/' : ''}`
}

/** A query without its `?`: names and values in RFC 3986's encoding, sorted by name, then value. `+` stays a plus. */
export function canonicalQuery(query: string): string {
  if (query === '') return ''
  const pairs = query.split('&').filter((pair) => pair !== '')
  // `!` sorts before all characters of an encoded text, `=` does not: so whole pairs sort by name first, `a` before
  // `a-b`.
  return pairs.map(canonicalPair).sort().join('&').replaceAll('!', '=')
}

function canonicalPair(pair: string): string {
  const equals = pair.indexOf('=')
  if (equals === -1) return `${reencode(pair)}!`
  return `${reencode(pair.slice(0, equals))}!${reencode(pair.slice(equals + 1))}`
}

/** `name:value\n` with the value trimmed and its runs of blanks folded. */
export const canonicalHeader = (name: string, value: string) =>
  `${name}:${/[ \t]{2}|\t/.test(value) ? value.replace(/[ \t]+/g, ' ').trim() : value.trim()}\n`

/** Encoded according to RFC 3986: unreserved characters bare, all others escaped with upper-case digits. */
const encoded = /^(?:[\w.~-]|%(?!2[DE]|3\d|[46][1-9A-F]|[57][0-9A]|5F|7E)[0-9A-F]{2})*$/

/** Decodes and encodes again, byte for byte, so that even `%zz` and `%ff` have a result. */
function reencode(text: string): string {
  if (encoded.test(text)) return text
  return text.replace(/%[0-9A-Fa-f]{2}|[^%]+|%/g, (piece) => {
    if (!/^%./.test(piece)) return percentEncode(piece)
    const byte = Number.parseInt(piece.slice(1), 16)
    return byte < 0x80 ? percentEncode(String.fromCharCode(byte)) : piece.toUpperCase()
  })
}

/** RFC 3986's encoding. `encodeURIComponent` leaves five more characters bare and throws on half a surrogate pair. */
const percentEncode = (text: string) =>
  encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
