import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Cancel, Clock } from '../runtime/clock.ts'
import type { Descriptors } from '../runtime/descriptors.ts'
import type { Log } from '../runtime/log.ts'
import type { ConnectionCounts, ConnectionRejection, Metrics } from '../runtime/metrics.ts'
import { type Shortages, shortageOf } from '../runtime/shortage.ts'
import type { ConnectionLimits } from './connection-limits.ts'
import { EvictionQueue } from './eviction-queue.ts'
import { FreeDescriptors } from './free-descriptors.ts'
import { networkOf } from './network-address.ts'
import { notInTime, sendRaw, tooManyConnections } from './outgoing-response.ts'
import { RejectedSockets } from './rejected-sockets.ts'
import { RejectionLog } from './rejection-log.ts'

/** How long the server itself may take to verify a signature and respond, or to open a session. */
const serveMsMax = 30_000
/** Minimum time between two checks of the deadlines. */
const sweepEveryMs = 100
/**
 * A deadline has passed only if two checks have found so, with this much time between them: after a stall of the event
 * loop, timers run before arrived data is read.
 */
const secondLookMs = 500

interface ConnectionsParts {
  limits: ConnectionLimits
  /** How long the TLS handshake with the headers, and then the body, may take until a signature is verified. */
  signatureTimeoutMs: number
  descriptors: Descriptors
  metrics: Pick<Metrics, 'countConnectionRejection'>
  shortages: Pick<Shortages, 'report'>
  clock: Clock
  log: Pick<Log, 'warn'>
  newId(): string
}

/**
 * An unauthenticated connection. The others are only counted: this record would make an idle session a tenth larger.
 */
interface Connection {
  /** The accepted socket. */
  readonly socket: Socket
  /** The stream of requests, decrypted. Undefined during the TLS handshake. */
  stream: Socket | undefined
  /** Key in `#handshakes`; undefined without TLS. */
  readonly handshake: string | undefined
  readonly network: string
  readonly acceptedMs: number
  /** Whether the server waits for the client, not the client for the server. */
  isAwaited: boolean
  /** When the server began to wait for the client. */
  waitsSinceMs: number
  /** Until the first response: see EvictionQueue. */
  hasGrace: boolean
  /** The connection is closed at this time, unless its state changes before. */
  deadlineMs: number
  /** Whether the first of the two checks has found this deadline passed. */
  isSecondLook: boolean
  requests: number
  /** Requests whose response was not written completely. A session counts as one. */
  inFlight: number
  /** The response to the latest request. */
  response: ServerResponse | undefined
}

/** The unauthenticated connections of one network. */
interface Network {
  size: number
  evictable: EvictionQueue<Connection>
}

/**
 * Enforces the limits on connections, on all ports of the API together. A connection is unauthenticated until a
 * signature was verified on it: until then it counts against its address, has little time in each state, and may be
 * evicted for a new one whenever the next step is the client's:
 *
 *     state                              next step   at most               then
 *     TLS handshake, waiting for headers  client     signatureTimeoutMs ¹  headers
 *     headers received, body incomplete   client     signatureTimeoutMs    body received, or an early response
 *     request complete, being verified    server     serveMsMax            verified, or response written
 *     response written, being read        client     signatureTimeoutMs    waiting for headers
 *     upgraded, session opening           server     serveMsMax ²          verified, or refused
 *     session refused, closing            client     signatureTimeoutMs    closed
 *     verified                            the connection is no longer unauthenticated
 *
 *     ¹ together, from when it was accepted   ² the session endpoint gives up before: openMsMax
 *
 * A client that sends a request before the previous response (pipelining) always counts as awaited: otherwise it could
 * avoid eviction by having one request in progress at any time. The first request has a grace period: see
 * EvictionQueue.
 */
export class Connections {
  readonly #parts: ConnectionsParts
  readonly #rejections: RejectionLog
  readonly #free: FreeDescriptors
  readonly #unauthenticated = new Set<Connection>()
  #authenticated = 0
  /** The unauthenticated connections that may be closed for a new one. */
  readonly #evictable = new EvictionQueue<Connection>()
  /** The unauthenticated ones by network. */
  readonly #networks = new Map<string, Network>()
  readonly #byStream = new WeakMap<object, Connection>()
  /** Shared by all sockets, because a closure would stay in memory as long as an idle session. */
  readonly #onClose: (this: Socket) => void
  /** By the peer's address and port, because Node does not expose the accepted socket of a TLS socket. */
  readonly #handshakes = new Map<string, Connection>()
  readonly #rejected: RejectedSockets
  #sweepAtMs = Number.POSITIVE_INFINITY
  #cancelSweep: Cancel = () => {}

  constructor(parts: ConnectionsParts) {
    this.#parts = parts
    this.#rejections = new RejectionLog(parts.clock, parts.log)
    this.#free = new FreeDescriptors(parts)
    this.#rejected = new RejectedSockets(parts)
    const closed = (socket: Socket) => this.#closed(socket)
    this.#onClose = function () {
      closed(this)
    }
  }

  get counts(): ConnectionCounts {
    return { authenticated: this.#authenticated, unauthenticated: this.#unauthenticated.size }
  }

  /**
   * Wraps the server's own listener for connections; the server still responds to its requests. With a `network`, all
   * connections of the server count as one address.
   */
  guard(server: HttpServer | HttpsServer, network?: string): void {
    const isTls = 'setSecureContext' in server
    const serve = server.listeners('connection')
    server.removeAllListeners('connection')
    server.on('connection', (socket: Socket) => {
      if (this.#admit(socket, isTls, network)) for (const listener of serve) listener.call(server, socket)
    })
    if (isTls) server.on('secureConnection', (stream: Socket) => this.#afterHandshake(stream))
    const begin = (request: IncomingMessage, response: ServerResponse) => this.#begin(request, response)
    // Before any other listener may respond.
    for (const event of ['request', 'checkContinue', 'checkExpectation']) server.prependListener(event, begin)
    server.prependListener('upgrade', (request: IncomingMessage) => this.#upgrade(request.socket))
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (error.syscall === 'accept') this.#parts.shortages.report(shortageOf(error) ?? 'network', error.message)
    })
  }

  /** A signature was verified on the stream. */
  verified(stream: object): void {
    this.#free.refresh()
    const connection = this.#byStream.get(stream)
    if (!connection) return
    this.#leaveUnauthenticated(connection)
    this.#authenticated += 1
  }

  /** The session on the stream is rejected: the server waits until the client completes the closing handshake. */
  refused(stream: object): void {
    const connection = this.#byStream.get(stream)
    if (connection) this.#awaitNext(connection)
  }

  /** Closes the unauthenticated connections that have no request in flight. */
  close(): void {
    this.#cancelSweep()
    this.#rejections.close()
    for (const connection of this.#unauthenticated) if (connection.inFlight === 0) end(connection)
    this.#rejected.close()
  }

  #admit(socket: Socket, isTls: boolean, knownNetwork: string | undefined): boolean {
    const { remoteAddress } = socket
    // The socket is closed already.
    if (remoteAddress === undefined) {
      socket.destroy()
      return false
    }
    const network = knownNetwork ?? networkOf(remoteAddress)
    const limit = this.#limitFor(network)
    if (limit !== undefined && !this.#makeRoom(limit, network)) {
      this.#count(limit, network)
      this.#rejected.add(socket, isTls || limit === 'reserve')
      return false
    }
    this.#add(socket, network, isTls)
    return true
  }

  /** The limit that one more connection of this network would exceed. */
  #limitFor(network: string): ConnectionRejection | undefined {
    const { all, perAddress, reserve } = this.#parts.limits
    if ((this.#networks.get(network)?.size ?? 0) >= perAddress) return 'address'
    if (this.#authenticated + this.#unauthenticated.size >= all) return 'all'
    return this.#free.count <= reserve ? 'reserve' : undefined
  }

  /** Evicts an unauthenticated connection, of the network or of all. Returns false if none is evictable. */
  #makeRoom(limit: ConnectionRejection, network: string): boolean {
    const evictable = limit === 'address' ? this.#networks.get(network)?.evictable : this.#evictable
    const evicted = evictable?.first(this.#parts.clock.now())
    if (!evicted) return false
    this.#close(evicted, limit)
    return true
  }

  #add(socket: Socket, network: string, isTls: boolean): void {
    const acceptedMs = this.#parts.clock.now()
    const connection: Connection = {
      socket,
      stream: isTls ? undefined : socket,
      handshake: isTls ? peerOf(socket) : undefined,
      network,
      acceptedMs,
      isAwaited: true,
      waitsSinceMs: acceptedMs,
      hasGrace: true,
      deadlineMs: acceptedMs,
      isSecondLook: false,
      requests: 0,
      inFlight: 0,
      response: undefined,
    }
    this.#free.opened()
    this.#unauthenticated.add(connection)
    const neighbours = this.#networks.get(network)
    if (neighbours) neighbours.size += 1
    else this.#networks.set(network, { size: 1, evictable: new EvictionQueue() })
    this.#byStream.set(socket, connection)
    if (connection.handshake !== undefined) this.#handshakes.set(connection.handshake, connection)
    socket.on('close', this.#onClose)
    this.#await(connection)
  }

  #afterHandshake(stream: Socket): void {
    const peer = peerOf(stream)
    const connection = this.#handshakes.get(peer)
    this.#handshakes.delete(peer)
    if (!connection) return
    connection.stream = stream
    this.#byStream.set(stream, connection)
  }

  /** The headers of a request were received. */
  #begin(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#byStream.get(request.socket)
    if (!connection) return
    connection.requests += 1
    connection.inFlight += 1
    connection.response = response
    this.#await(connection)
    request.once('end', () => {
      // If the body is too large, the response is written before its end.
      if (connection.response === response && !response.writableEnded) this.#serve(connection)
    })
    response.once('prefinish', () => this.#awaitNext(connection))
    response.once('close', () => {
      connection.inFlight -= 1
      if (connection.inFlight === 0) this.#await(connection)
    })
  }

  /** A session is opening: from here the connection has another protocol. */
  #upgrade(stream: object): void {
    const connection = this.#byStream.get(stream)
    if (!connection) return
    connection.requests += 1
    connection.inFlight += 1
    this.#serve(connection)
  }

  /** A response was written. */
  #awaitNext(connection: Connection): void {
    connection.hasGrace = false
    this.#await(connection)
  }

  /** The next step is the client's. */
  #await(connection: Connection): void {
    const neighbours = this.#neighboursOf(connection)
    if (!neighbours) return
    connection.isAwaited = true
    connection.waitsSinceMs = this.#parts.clock.now()
    neighbours.evictable.add(connection)
    this.#evictable.add(connection)
    this.#limitTime(connection, this.#parts.signatureTimeoutMs)
  }

  /** The next step is the server's, unless the client pipelines. */
  #serve(connection: Connection): void {
    const neighbours = this.#neighboursOf(connection)
    if (!neighbours || connection.inFlight > 1) return
    connection.isAwaited = false
    neighbours.evictable.delete(connection)
    this.#evictable.delete(connection)
    this.#limitTime(connection, serveMsMax)
  }

  /** Undefined if the connection is no longer unauthenticated. */
  #neighboursOf(connection: Connection): Network | undefined {
    return this.#unauthenticated.has(connection) ? this.#networks.get(connection.network) : undefined
  }

  #limitTime(connection: Connection, forMs: number): void {
    connection.deadlineMs = this.#parts.clock.now() + forMs
    connection.isSecondLook = false
    this.#sweepAt(connection.deadlineMs - secondLookMs)
  }

  #sweepAt(atMs: number): void {
    if (this.#sweepAtMs <= atMs) return
    this.#cancelSweep()
    this.#sweepAtMs = atMs
    this.#cancelSweep = this.#parts.clock.at(atMs, () => this.#sweep())
  }

  #sweep(): void {
    this.#sweepAtMs = Number.POSITIVE_INFINITY
    const now = this.#parts.clock.now()
    let nextMs = Number.POSITIVE_INFINITY
    for (const connection of this.#unauthenticated) {
      const firstLookMs = connection.deadlineMs - secondLookMs
      if (!connection.isSecondLook && firstLookMs <= now) {
        connection.isSecondLook = true
        connection.deadlineMs = Math.max(connection.deadlineMs, now + secondLookMs)
      }
      if (connection.deadlineMs <= now) this.#close(connection, 'timeout')
      else nextMs = Math.min(nextMs, connection.isSecondLook ? connection.deadlineMs : firstLookMs)
    }
    if (nextMs < Number.POSITIVE_INFINITY) this.#sweepAt(Math.max(nextMs, now + sweepEveryMs))
  }

  #close(connection: Connection, limit: ConnectionRejection): void {
    const { clock, newId } = this.#parts
    const outgoing = limit === 'timeout' ? notInTime : tooManyConnections
    this.#count(limit, connection.network)
    if (limit !== 'reserve' && mayRespond(connection)) sendRaw(connection.stream, outgoing, newId(), clock.now())
    else end(connection)
    this.#forget(connection)
  }

  #count(limit: ConnectionRejection, network: string): void {
    this.#parts.metrics.countConnectionRejection(limit)
    // Silent connections are usual: browsers open some in advance, load balancers check whether the port is open.
    if (limit !== 'timeout') this.#rejections.add(limit, network)
  }

  #closed(socket: Socket): void {
    const connection = this.#byStream.get(socket)
    if (connection) this.#leaveUnauthenticated(connection)
    else this.#authenticated -= 1
    this.#free.closed()
  }

  /** The unauthenticated connection no longer counts, although its socket may take a moment to close. */
  #forget(connection: Connection): void {
    if (!this.#unauthenticated.has(connection)) return
    this.#leaveUnauthenticated(connection)
    connection.socket.off('close', this.#onClose)
    this.#free.closed()
  }

  #leaveUnauthenticated(connection: Connection): void {
    const { socket, stream, handshake, network } = connection
    this.#unauthenticated.delete(connection)
    this.#byStream.delete(socket)
    if (stream) this.#byStream.delete(stream)
    if (handshake !== undefined && this.#handshakes.get(handshake) === connection) this.#handshakes.delete(handshake)
    connection.response = undefined
    this.#evictable.delete(connection)
    const neighbours = this.#networks.get(network)
    if (!neighbours) return
    neighbours.evictable.delete(connection)
    neighbours.size -= 1
    if (neighbours.size === 0) this.#networks.delete(network)
  }
}

const peerOf = ({ remoteAddress, remotePort, localPort }: Socket) => `${remoteAddress} ${remotePort} ${localPort}`

const end = ({ socket, stream = socket }: Connection) => stream.destroy()

/**
 * Whether the client would read it as the response to a request: to the first one, before any other response has begun.
 */
function mayRespond(connection: Connection): connection is Connection & { stream: Socket } {
  const { stream, requests, response, isAwaited } = connection
  if (!stream?.writable || !isAwaited) return false
  return requests === 0 || (requests === 1 && response !== undefined && !response.headersSent)
}
