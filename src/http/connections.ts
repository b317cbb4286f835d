import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Cancel, Clock } from '../runtime/clock.ts'
import type { Descriptors } from '../runtime/descriptors.ts'
import type { Log } from '../runtime/log.ts'
import type { ConnectionCounts, ConnectionRejection, Metrics } from '../runtime/metrics.ts'
import { type Shortages, shortageOf } from '../runtime/shortage.ts'
import { notInTime, sendRaw, tooManyConnections } from './answer.ts'
import type { ConnectionLimits } from './connection-limits.ts'
import { FreeDescriptors } from './free-descriptors.ts'
import { networkOf } from './network-address.ts'
import { RejectionLog } from './rejection-log.ts'

/** How long a connection that has begun to speak is safe from being closed for a new one. */
const graceMs = 1_000
/** How long the response to a request without a verified signature may take to leave. */
const responseMsMax = 30_000
/** How long a rejected connection may take to read its response, and how many may do so at a time. */
const lingerMs = 1_000
const lingeringMax = 64
/** The least time between two looks at the deadlines. */
const sweepEveryMs = 100

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

interface Connection {
  /** As it was accepted. */
  readonly socket: Socket
  /** What requests travel over. Undefined while the TLS handshake is going on. */
  stream: Socket | undefined
  readonly network: string
  readonly acceptedMs: number
  /** When it is closed, unless the client goes on. */
  deadlineMs: number
  requests: number
  /** Requests whose response has not left. */
  inFlight: number
  /** Of the latest request. */
  response: ServerResponse | undefined
  /** Whether the next step is the client's. Else a request is complete, and its signature is being verified. */
  isAwaited: boolean
}

/**
 * Holds the limits on connections, on all ports of the API together. A connection is unauthenticated until a signature
 * was verified on it: until then it counts against its address, has little time, and may be closed for a new one.
 */
export class Connections {
  readonly #parts: ConnectionsParts
  readonly #rejections: RejectionLog
  readonly #free: FreeDescriptors
  readonly #connections = new Set<Connection>()
  /** The oldest first. */
  readonly #unauthenticated = new Set<Connection>()
  /** The same by network. */
  readonly #byNetwork = new Map<string, Set<Connection>>()
  readonly #byStream = new WeakMap<object, Connection>()
  /** By their peer's address and port: Node does not say which accepted socket a TLS socket stands on. */
  readonly #handshakes = new Map<string, Connection>()
  readonly #lingering = new Set<Socket>()
  #sweepAtMs = Number.POSITIVE_INFINITY
  #cancelSweep: Cancel = () => {}

  constructor(parts: ConnectionsParts) {
    this.#parts = parts
    this.#rejections = new RejectionLog(parts.clock, parts.log)
    this.#free = new FreeDescriptors(parts)
  }

  get counts(): ConnectionCounts {
    const unauthenticated = this.#unauthenticated.size
    return { authenticated: this.#connections.size - unauthenticated, unauthenticated }
  }

  /** Stands before the server's own listener for connections. Its requests are still the server's to answer. */
  guard(server: HttpServer | HttpsServer): void {
    const isTls = 'setSecureContext' in server
    const serve = server.listeners('connection')
    server.removeAllListeners('connection')
    server.on('connection', (socket: Socket) => {
      if (this.#admit(socket, isTls)) for (const listener of serve) listener.call(server, socket)
    })
    if (isTls) server.on('secureConnection', (stream: Socket) => this.#afterHandshake(stream))
    const begin = (request: IncomingMessage, response: ServerResponse) => this.#begin(request, response)
    server.on('request', begin).on('checkContinue', begin).on('checkExpectation', begin)
    server.on('upgrade', (request: IncomingMessage) => this.#upgrade(request.socket))
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (error.syscall === 'accept') this.#parts.shortages.report(shortageOf(error) ?? 'network', error.message)
    })
  }

  /** A signature was verified on the stream. */
  verified(stream: object): void {
    this.#free.look()
    const connection = this.#byStream.get(stream)
    if (connection) this.#leaveUnauthenticated(connection)
  }

  /** Closes what has no request in flight and never signed. */
  close(): void {
    this.#cancelSweep()
    this.#rejections.close()
    for (const connection of this.#unauthenticated) if (connection.inFlight === 0) end(connection)
    for (const socket of this.#lingering) socket.destroy()
  }

  #admit(socket: Socket, isTls: boolean): boolean {
    const { remoteAddress } = socket
    // It is gone already.
    if (remoteAddress === undefined) {
      socket.destroy()
      return false
    }
    const network = networkOf(remoteAddress)
    const limit = this.#limitFor(network)
    if (limit !== undefined && !this.#makeRoom(limit, network)) {
      this.#count(limit, network)
      this.#reject(socket, isTls || limit === 'reserve')
      return false
    }
    this.#add(socket, network, isTls)
    return true
  }

  /** The limit that one more connection of this network would break. */
  #limitFor(network: string): ConnectionRejection | undefined {
    const { all, perAddress, reserve } = this.#parts.limits
    if ((this.#byNetwork.get(network)?.size ?? 0) >= perAddress) return 'address'
    if (this.#connections.size >= all) return 'all'
    return this.#free.count <= reserve ? 'reserve' : undefined
  }

  /**
   * Closes the oldest unauthenticated connection, of the network or of all, if it is silent or has had its time. One that
   * has begun to speak and is young stays: else many clients that connect at once would close each other for ever.
   */
  #makeRoom(limit: ConnectionRejection, network: string): boolean {
    const candidates = limit === 'address' ? this.#byNetwork.get(network) : this.#unauthenticated
    const [oldest] = candidates ?? []
    if (!oldest?.isAwaited) return false
    const isYoung = this.#parts.clock.now() - oldest.acceptedMs < graceMs
    if (oldest.socket.bytesRead > 0 && isYoung) return false
    this.#close(oldest, limit)
    return true
  }

  #add(socket: Socket, network: string, isTls: boolean): void {
    const acceptedMs = this.#parts.clock.now()
    const connection: Connection = {
      socket,
      stream: isTls ? undefined : socket,
      network,
      acceptedMs,
      deadlineMs: acceptedMs,
      requests: 0,
      inFlight: 0,
      response: undefined,
      isAwaited: true,
    }
    this.#connections.add(connection)
    this.#free.opened()
    this.#unauthenticated.add(connection)
    const neighbours = this.#byNetwork.get(network)
    if (neighbours) neighbours.add(connection)
    else this.#byNetwork.set(network, new Set([connection]))
    this.#byStream.set(socket, connection)
    const peer = peerOf(socket)
    if (isTls) this.#handshakes.set(peer, connection)
    socket.once('close', () => {
      if (this.#handshakes.get(peer) === connection) this.#handshakes.delete(peer)
      this.#forget(connection)
    })
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

  /** The headers of a request have come. */
  #begin(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#byStream.get(request.socket)
    if (!connection || !this.#unauthenticated.has(connection)) return
    connection.requests += 1
    connection.inFlight += 1
    connection.response = response
    this.#await(connection)
    request.once('end', () => {
      if (connection.response === response) this.#respond(connection)
    })
    response.once('close', () => {
      connection.inFlight -= 1
      if (connection.inFlight === 0) this.#await(connection)
    })
  }

  /** Sessions have a limit of their own on the time until they are established, and speak another protocol from here. */
  #upgrade(stream: object): void {
    const connection = this.#byStream.get(stream)
    if (!connection) return
    connection.requests += 1
    connection.inFlight += 1
    this.#respond(connection)
  }

  #await(connection: Connection): void {
    connection.isAwaited = true
    this.#limitTime(connection, this.#parts.signatureTimeoutMs)
  }

  #respond(connection: Connection): void {
    connection.isAwaited = false
    this.#limitTime(connection, responseMsMax)
  }

  #limitTime(connection: Connection, forMs: number): void {
    if (!this.#unauthenticated.has(connection)) return
    connection.deadlineMs = this.#parts.clock.now() + forMs
    this.#sweepAt(connection.deadlineMs)
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
      if (connection.deadlineMs <= now) this.#close(connection, 'timeout')
      else nextMs = Math.min(nextMs, connection.deadlineMs)
    }
    if (nextMs < Number.POSITIVE_INFINITY) this.#sweepAt(Math.max(nextMs, now + sweepEveryMs))
  }

  #close(connection: Connection, limit: ConnectionRejection): void {
    const { clock, newId } = this.#parts
    const answer = limit === 'timeout' ? notInTime : tooManyConnections
    this.#count(limit, connection.network)
    if (limit !== 'reserve' && mayAnswer(connection)) sendRaw(connection.stream, answer, newId(), clock.now())
    else end(connection)
    // Its place is free from now on; the socket may take a moment to close.
    this.#forget(connection)
  }

  /** The response is sent before the request is read, and what the client sends is thrown away until it has read it. */
  #reject(socket: Socket, silently: boolean): void {
    if (silently || this.#lingering.size >= lingeringMax) {
      socket.destroy()
      return
    }
    const { clock, newId } = this.#parts
    this.#lingering.add(socket)
    const cancel = clock.at(clock.now() + lingerMs, () => socket.destroy())
    socket.once('close', () => {
      cancel()
      this.#lingering.delete(socket)
    })
    sendRaw(socket, tooManyConnections, newId(), clock.now(), { linger: true })
    socket.resume()
  }

  #count(limit: ConnectionRejection, network: string): void {
    this.#parts.metrics.countConnectionRejection(limit)
    // Silent connections are nothing unusual: browsers open some in advance, balancers to see whether the port is open.
    if (limit !== 'timeout') this.#rejections.add(limit, network)
  }

  #forget(connection: Connection): void {
    if (this.#connections.delete(connection)) this.#free.closed()
    this.#leaveUnauthenticated(connection)
  }

  #leaveUnauthenticated(connection: Connection): void {
    if (!this.#unauthenticated.delete(connection)) return
    connection.response = undefined
    const neighbours = this.#byNetwork.get(connection.network)
    neighbours?.delete(connection)
    if (neighbours?.size === 0) this.#byNetwork.delete(connection.network)
  }
}

const peerOf = ({ remoteAddress, remotePort, localPort }: Socket) => `${remoteAddress} ${remotePort} ${localPort}`

const end = ({ socket, stream = socket }: Connection) => stream.destroy()

/** Whether a response would be read as that to a request: to the first one, before any other response has begun. */
function mayAnswer(connection: Connection): connection is Connection & { stream: Socket } {
  const { stream, requests, response, isAwaited } = connection
  if (!stream?.writable || !isAwaited) return false
  return requests === 0 || (requests === 1 && response !== undefined && !response.headersSent)
}
