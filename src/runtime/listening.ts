import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** How long a connection may take to finish its request when the server stops. */
const finishMsMax = 1_000

/** Answers the port, which the system chose if it was 0. */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
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
export function localUrl(scheme: 'http' | 'https', host: string, port: number): string {
  const everywhere = host === '0.0.0.0' || host === '::'
  const name = everywhere ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  return `${scheme}://${name}:${port}`
}
