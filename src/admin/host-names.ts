import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { isLoopback } from '../runtime/listening.ts'

/** Whether a request names this server as its host. */
export type HostCheck = (request: Pick<IncomingMessage, 'headers' | 'httpVersion'>) => boolean

/**
 * Against DNS rebinding: a page whose own host name suddenly has the address of this machine is of the same origin as the
 * server, and could read everything. Its requests still have its own host name. An address is no name, so it cannot be
 * bent in this way. Only programs, such as a balancer's health check, use HTTP/1.0 and leave the header out.
 */
export function createHostCheck(names: readonly string[]): HostCheck {
  const known = new Set(names.map((name) => name.toLowerCase()))
  return ({ headers: { host }, httpVersion }) => {
    if (host === undefined) return httpVersion === '1.0'
    const name = hostNameOf(host)
    return name !== undefined && (isIP(name) !== 0 || isLoopback(name) || known.has(name))
  }
}

/** The name without the port, in lower case; undefined if the header is no host. */
export function hostNameOf(host: string): string | undefined {
  const [, address, name] = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::\d{1,5})?$/i.exec(host) ?? []
  return (address ?? name)?.toLowerCase()
}
