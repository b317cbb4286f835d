import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

/*
 * A page on another port of this machine is of the same site, so browsers send it the cookie along with its requests:
 * SameSite does not keep it out. It is of another origin, though, and what it may send is limited.
 */

/** A page of another origin cannot set it without the server's consent, which is never given. */
const ownHeader = 'x-carillon-console'

/** Why a request that carries the cookie is rejected; undefined if it comes from a page of the console. */
export function foreignRequest({ method, headers }: Pick<IncomingMessage, 'method' | 'headers'>): string | undefined {
  if (method !== 'GET' && method !== 'HEAD') return foreignWrite(headers)
  return isForeignRead(headers) ? 'the request comes from a page of another origin' : undefined
}

/** Why a write is rejected; undefined if a page of the console sent it. */
function foreignWrite(headers: IncomingHttpHeaders): string | undefined {
  const { origin, 'sec-fetch-site': site, 'content-type': type = '' } = headers
  if (origin === undefined && site === undefined) return 'a write needs Origin, or Sec-Fetch-Site'
  if (origin !== undefined && !isOwnOrigin(headers)) return 'the write comes from a page of another origin'
  if (site !== undefined && site !== 'same-origin') return 'the write comes from a page of another origin'
  if (!/^application\/json(?:\s*;|$)/i.test(type)) return 'a write needs Content-Type: application/json'
  return headers[ownHeader] === '1' ? undefined : `a write needs ${ownHeader}: 1`
}

/** Whether a page of another origin sent this reading request. `none`: the person has typed the address. */
const isForeignRead = ({ 'sec-fetch-site': site }: IncomingHttpHeaders): boolean =>
  site !== undefined && site !== 'same-origin' && site !== 'none'

/** Whether the page that sent this is of the host that it calls. Browsers send Origin with every WebSocket. */
export const isOwnOrigin = ({ origin, host }: IncomingHttpHeaders): boolean =>
  origin !== undefined &&
  host !== undefined &&
  URL.parse(origin)?.host === URL.parse(`${schemeOf(origin)}//${host}`)?.host

/** Behind a proxy the server does not see whether the page came over TLS. Either way, a default port is left out. */
const schemeOf = (origin: string) => (origin.startsWith('https:') ? 'https:' : 'http:')
