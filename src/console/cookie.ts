import type { IncomingHttpHeaders } from 'node:http'
import { isLoopback } from '../runtime/listening.ts'
import { sessionMs } from './sessions.ts'

/** Browsers send a cookie to all ports of a host: two servers on this machine must not replace each other's. */
function cookieName({ host = '' }: IncomingHttpHeaders): string {
  const [, port] = /:(\d+)$/.exec(host) ?? []
  return `carillon-console-${port ?? 'default'}`
}

/** The value of the session's cookie. */
export function readCookie(headers: IncomingHttpHeaders): string | undefined {
  const name = `${cookieName(headers)}=`
  const cookies = headers.cookie?.split(';').map((cookie) => cookie.trim()) ?? []
  return cookies.find((cookie) => cookie.startsWith(name))?.slice(name.length)
}

export const setCookie = (headers: IncomingHttpHeaders, value: string): string =>
  `${cookieName(headers)}=${value}; Max-Age=${sessionMs / 1000}; ${attributes(headers)}`

export const clearCookie = (headers: IncomingHttpHeaders): string =>
  `${cookieName(headers)}=; Max-Age=0; ${attributes(headers)}`

/** Other machines reach the console over TLS only. */
function attributes({ host = '' }: IncomingHttpHeaders): string {
  const { hostname = '' } = URL.parse(`http://${host}`) ?? {}
  const isHere = isLoopback(hostname.replace(/^\[(.*)\]$/, '$1'))
  return `Path=/; HttpOnly; SameSite=Strict${isHere ? '' : '; Secure'}`
}
