import { readFileSync } from 'node:fs'
import { type Authenticator, credsAuthenticator, type NodeConnectionOptions } from '@nats-io/transport-node'

/** The NATS servers, and how a node connects to them. */
export interface NatsServers {
  /** `nats://host:port` or `tls://host:port`, with `user:password@` or `token@` before the host if it is required. */
  servers: readonly string[]
  /** A `.creds` file: the user's JWT and the seed of its key. Read at every connect, so that it may be renewed. */
  credentialsFile?: string
  /** The certificate of the authority of the servers' certificates, if it is not a public one. */
  caFile?: string
}

/**
 * A lost connection is retried without end: each server once in this time, plus jitter, so that nodes do not retry at
 * once.
 */
const reconnectWaitMs = 250
const reconnectJitterMs = 250
const connectMsMax = 5_000
/** A server that does not respond to so many pings in a row counts as dead: after 15 s. */
const pingEveryMs = 5_000
const missedPongsMax = 2

/** Throws if the servers are not valid. The message shows no password. */
export function connectionOptions(
  { servers, credentialsFile, caFile }: NatsServers,
  name: string,
): NodeConnectionOptions {
  const urls = servers.map(parse)
  const [first] = urls
  if (!first) throw new Error('give at least one server, such as nats://nats.internal:4222')
  if (urls.some((url) => url.username !== first.username || url.password !== first.password)) {
    throw new Error('all servers of a cluster have one user: give each the same user and password')
  }
  return {
    servers: urls.map((url) => url.host),
    name,
    ...credentials(first, credentialsFile),
    ...((caFile !== undefined || urls.some((url) => url.protocol === 'tls:')) && { tls: caFile ? { caFile } : {} }),
    // This node's own sessions receive its events directly.
    noEcho: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectWaitMs,
    reconnectJitter: reconnectJitterMs,
    reconnectJitterTLS: reconnectJitterMs,
    // Credentials may be renewed on either side while this node runs.
    ignoreAuthErrorAbort: true,
    timeout: connectMsMax,
    pingInterval: pingEveryMs,
    maxPingOut: missedPongsMax,
  }
}

function credentials(url: URL, credentialsFile: string | undefined): NodeConnectionOptions {
  if (credentialsFile !== undefined) return { authenticator: followCredentials(credentialsFile) }
  const [username, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)]
  if (username === '') return {}
  return password === '' ? { token: username } : { user: username, pass: password }
}

/**
 * Signs with the file as it is now, or with its last valid content: during a renewal it may be half-written or missing,
 * and the client would end its connection for good if this threw.
 */
function followCredentials(credentialsFile: string): Authenticator {
  let latest = credsAuthenticator(readFileSync(credentialsFile))
  latest()
  return (nonce) => {
    try {
      const fresh = credsAuthenticator(readFileSync(credentialsFile))
      const signed = fresh(nonce)
      latest = fresh
      return signed
    } catch {
      return latest(nonce)
    }
  }
}

function parse(server: string): URL {
  const url = URL.canParse(server) ? new URL(server) : undefined
  const known = url?.protocol === 'nats:' || url?.protocol === 'tls:'
  if (!url || !known || url.hostname === '' || url.search !== '' || url.hash !== '' || url.pathname.length > 1) {
    throw new Error(`a server is nats://host:port or tls://host:port, but one is ${shown([server])}`)
  }
  return url
}

/** The servers for a log line: without the part before an @. */
export const shown = (servers: readonly string[]): string =>
  servers.length === 0 ? 'no address' : servers.map((server) => server.replace(/^(\w+:\/\/)?.*@/, '$1')).join(', ')
