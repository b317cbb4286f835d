import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** How long a connection may take to finish its request when the server stops. */
const finishMsMax = 1_000

/**
 * Connections that the system holds until the server accepts them; it may hold fewer (`net.core.somaxconn`). Beyond
 * that it drops what comes, and clients try again after one and three seconds: with Node's 511 a flood does that to all.
 */
const backlogMax = 4096

/** Answers the port, which the system chose if it was 0. */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host, backlog: backlogMax }, () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port)
    })
  })
}

/** Takes no further connection, lets the requests in hand finish, and cuts off those that do not. */
export async function stopListening(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeIdleConnections()
  const cutOff = setTimeout(() => server.closeAllConnections(), finishMsMax)
  await closed
  clearTimeout(cutOff)
}

/** Where this machine reaches a server that listens on `host`. */
export const localUrl = (scheme: 'http' | 'https', host: string, port: number): string =>
  `${scheme}://${isEverywhere(host) ? '127.0.0.1' : inUrl(host)}:${port}`

/**
 * Where clients open messaging sessions when nobody says otherwise: on this machine by a name that browsers trust more
 * than an address, elsewhere by the address listened on. Never with :443, which clients sign but do not send.
 */
export function sessionHost(host: string, port: number): string {
  const here = isEverywhere(host) || host.startsWith('127.') || host === '::1'
  const name = here ? 'localhost' : inUrl(host)
  return port === 443 ? name : `${name}:${port}`
}

/** Whether the address stands for all of this machine's. */
export const isEverywhere = (host: string): boolean => host === '0.0.0.0' || host === '::'

const inUrl = (host: string) => (host.includes(':') ? `[${host}]` : host)
