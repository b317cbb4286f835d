import type { Server } from 'node:http'
import { type AddressInfo, isIP } from 'node:net'

/** Time limit for a connection to finish its request when the server stops. */
const finishMsMax = 1_000

/**
 * Connections that the system queues until the server accepts them; it may queue fewer (`net.core.somaxconn`). The
 * system drops further ones, and clients retry after one and three seconds: with Node's 511 a flood does that to all
 * clients.
 */
const backlogMax = 4096

/** Returns the port, which the system chose if it was 0. */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host, backlog: backlogMax }, () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port)
    })
  })
}

/** Accepts no further connection, lets the requests in flight finish, and closes the connections that do not. */
export async function stopListening(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeIdleConnections()
  const cutOff = setTimeout(() => server.closeAllConnections(), finishMsMax)
  await closed
  clearTimeout(cutOff)
}

/** The URL at which this machine reaches a server that listens on `host`. */
export const localUrl = (scheme: 'http' | 'https', host: string, port: number): string =>
  `${scheme}://${isEverywhere(host) ? '127.0.0.1' : inUrl(host)}:${port}`

/**
 * The default endpoint of messaging sessions: on this machine a name, which browsers trust more than an address;
 * otherwise the address on which the server listens. Never with :443, which clients sign but do not send.
 */
export function sessionHost(host: string, port: number): string {
  const name = isEverywhere(host) || isLoopback(host) ? 'localhost' : inUrl(host)
  return port === 443 ? name : `${name}:${port}`
}

/** Whether the address stands for all addresses of this machine. */
export const isEverywhere = (host: string): boolean => host === '0.0.0.0' || host === '::'

/** Whether only programs of this machine reach the address, or name. */
export const isLoopback = (host: string): boolean =>
  isIP(host) ? host.startsWith('127.') || host === '::1' : host === 'localhost' || host.endsWith('.localhost')

const inUrl = (host: string) => (host.includes(':') ? `[${host}]` : host)
