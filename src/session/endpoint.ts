import type { IncomingMessage, Server } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { WebSocket, WebSocketServer } from 'ws'
import { ApiError, badRequest, notFound } from '../contract/api-error.ts'
import { frame } from '../events/frame.ts'
import type { Key } from '../keys/key.ts'
import type { Cancel, Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { ConnectParameters, VerifiedConnect } from '../signature/verify-connect.ts'
import { type Reader, StoreUnavailable } from '../store/store.ts'
import { closeCode, closeWith } from './close.ts'
import { FrameFlush } from './frame-flush.ts'
import type { Hub } from './hub.ts'
import { type SessionLimits, sessionLimits } from './limits.ts'
import { Pings } from './pings.ts'
import { refuseUpgrade } from './refuse-upgrade.ts'
import { Revocations } from './revocations.ts'
import { Session, type SessionKey, type SessionParts } from './session.ts'
import { SessionSocket, type SocketWatch } from './session-socket.ts'

interface EndpointParts {
  hub: Hub<Session>
  /** Whether the request's target and Host header are signed by a key's holder. */
  authenticate(target: string, host: string): Promise<VerifiedConnect>
  /** A signature was verified on this connection, by a key that may connect as this user. */
  onVerified(stream: Duplex): void
  /** No session will open on this connection: the server waits until the client closes it. */
  onRefused(stream: Duplex): void
  /** Whether the user exists and the key may connect as this user. */
  admit(
    credentials: Key,
    userArn: string,
  ): Promise<{ admitted: true; userId: number } | { admitted: false; reason: string }>
  /** For the keys that are suspended or deleted while their sessions are open. */
  read: Reader
  /** The payloads of CHANNEL_DETAILS, at most 50. The next one is requested when the previous one was sent. */
  prefetch(userArn: string, sortBy?: string): AsyncIterable<object>
  metrics: Pick<Metrics, 'countSessionRefusal' | 'countSessionClose'>
  clock: Clock
  log: Log
  limits?: Partial<SessionLimits>
}

/** A connection that may become a session. */
interface Connection {
  request: IncomingMessage
  stream: Duplex
  webSocket: SessionSocket
}

const restarting = 'The server is restarting, connect again'

/** Accepts messaging sessions at `/connect` of the attached servers. No input of a peer makes it throw. */
export class SessionEndpoint {
  readonly #parts: EndpointParts
  readonly #limits: SessionLimits
  readonly #sessionParts: SessionParts
  readonly #webSocketServer: ReturnType<typeof createWebSocketServer>
  /** All sockets, including those that are opening or closing. The set of `ws` would take 200 bytes more for each. */
  readonly #sockets = new Set<SessionSocket>()
  readonly #established = new Set<Session>()
  readonly #socketWatch: SocketWatch
  readonly #revocations: Revocations
  /** Cancels the end of sessions whose key ends. */
  readonly #ends = new Map<Session, Cancel>()
  #deliveredBefore = 0
  #draining = false
  readonly #drained = Promise.withResolvers<void>()

  constructor(parts: EndpointParts) {
    this.#parts = parts
    this.#limits = { ...sessionLimits, ...parts.limits }
    this.#sessionParts = {
      limits: this.#limits,
      flush: new FrameFlush(),
      pings: new Pings(parts.clock, this.#limits.pingEveryMs),
      onEnd: (session) => this.#forget(session),
    }
    this.#socketWatch = {
      onClose: (socket, code) => this.#closed(socket, code),
      onError: (err) => parts.log.debug({ err }, 'messaging session: protocol error'),
    }
    this.#revocations = new Revocations({
      ...parts,
      revoked: (subjects) => this.#closeRevoked(subjects),
      missed: () => this.#closeAll(),
    })
    this.#webSocketServer = createWebSocketServer(this.#limits)
    this.#webSocketServer.on('wsClientError', (error, stream) => this.#reject(stream, badRequest(error.message)))
  }

  /** The established sessions, and all sockets, including those that are opening or closing. */
  get size(): { sessions: number; sockets: number } {
    return { sessions: this.#established.size, sockets: this.#sockets.size }
  }

  /** Frames sent to sessions, including those that have ended. */
  get deliveries(): number {
    return this.#established.values().reduce((sum, { delivered }) => sum + delivered, this.#deliveredBefore)
  }

  /** Begins to look for revoked keys. */
  start(): void {
    this.#revocations.start()
  }

  attach(server: Server | HttpsServer): void {
    server.on('upgrade', (request, stream, head) => this.upgrade(request, stream, head))
  }

  /**
   * Closes all sessions so that clients reconnect by themselves, and accepts no more. Sessions that are opening are
   * established first, as `#open` says. Resolves when all sockets are closed, the slowest by force, and the hub is
   * closed.
   */
  async close(): Promise<void> {
    const { clock, hub } = this.#parts
    this.#draining = true
    this.#revocations.close()
    this.#closeAll()
    const cancel = clock.at(clock.now() + this.#limits.shutdownMsMax, () => {
      for (const webSocket of this.#sockets) webSocket.terminate()
    })
    if (this.#sockets.size > 0) await this.#drained.promise
    cancel()
    hub.close()
  }

  /** Accepts a session, or rejects it. */
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const refusal = this.#refusal(request)
    if (refusal) {
      this.#reject(stream, refusal)
      return
    }
    this.#webSocketServer.handleUpgrade(request, stream, head, (webSocket) => {
      webSocket.watchBy(this.#socketWatch)
      this.#sockets.add(webSocket)
      void this.#serve({ request, stream, webSocket })
    })
  }

  #closed(socket: SessionSocket, code: number): void {
    this.#parts.metrics.countSessionClose(code)
    this.#sockets.delete(socket)
    if (this.#draining && this.#sockets.size === 0) this.#drained.resolve()
  }

  #reject(stream: Duplex, refusal: ApiError): void {
    this.#parts.metrics.countSessionRefusal(refusal.status)
    refuseUpgrade(stream, refusal)
    this.#parts.onRefused(stream)
  }

  /**
   * Only connects that clients should retry with back-off, or that never reach a session, are rejected before the
   * upgrade.
   */
  #refusal({ url = '' }: IncomingMessage): ApiError | undefined {
    const path = url.split('?', 1)[0] ?? ''
    if (path !== '/connect') return notFound(`Messaging sessions connect to /connect, not to ${path.slice(0, 256)}`)
    if (this.#draining) return new ApiError('ServiceUnavailable', restarting)
    if (this.size.sockets < this.#limits.sessionsMax) return undefined
    return new ApiError('ServiceUnavailable', `The server has all the ${this.#limits.sessionsMax} sessions it can take`)
  }

  async #serve(connection: Connection): Promise<void> {
    const { clock, log } = this.#parts
    const { openMsMax } = this.#limits
    const fail = (reason: string) => this.#closeWith(connection, closeCode.internalError, reason)
    const cancel = clock.at(clock.now() + openMsMax, () => fail(`Internal error: no session within ${openMsMax} ms`))
    try {
      const opened = await this.#open(connection)
      cancel()
      if (opened?.parameters.prefetchOn) await this.#prefetch(opened.session, opened.parameters)
    } catch (error) {
      if (error instanceof StoreUnavailable)
        log.warn({ reason: error.message }, 'messaging session rejected: store unavailable')
      else log.error({ err: error }, 'messaging session failed')
      fail('Internal error: the log of the server has the details')
    } finally {
      cancel()
    }
  }

  /**
   * Authorization follows the upgrade, because a browser cannot read the status of a rejected one. Until the session is
   * established it is closed only with codes that clients do not retry, unless the server itself fails: after a close
   * with a retry, amazon-chime-sdk-js reconnects, but its `start()` never settles.
   */
  async #open(connection: Connection) {
    const { request, stream, webSocket } = connection
    const { hub, authenticate, admit, onVerified, clock } = this.#parts
    const startedAt = clock.now()
    const caller = await authenticate(request.url ?? '', request.headers.host ?? '')
    if (!caller.ok) return this.#refuse(connection, closeCode.unauthorized, caller.reason)
    const { credentials, parameters } = caller
    const admission = await admit(credentials, parameters.userArn)
    if (!admission.admitted) return this.#refuse(connection, closeCode.forbidden, admission.reason)
    onVerified(stream)
    if (webSocket.readyState !== WebSocket.OPEN) return undefined
    const { userId } = admission
    const [userArn, sessionId] = [detached(parameters.userArn), detached(parameters.sessionId)]
    const key = keyOf(credentials)
    const session = new Session({ userArn, userId, sessionId, key, webSocket, stream }, this.#sessionParts)
    this.#makeRoom(session)
    await hub.register(session)
    this.#establish(session)
    this.#limitToKey(session, startedAt)
    return { session, parameters }
  }

  #refuse(connection: Connection, code: number, reason: string): undefined {
    this.#parts.log.info({ code, reason }, 'messaging session rejected')
    this.#parts.metrics.countSessionRefusal(code)
    this.#closeWith(connection, code, reason)
  }

  #closeWith({ stream, webSocket }: Connection, code: number, reason: string): void {
    closeWith(webSocket, code, reason)
    this.#parts.onRefused(stream)
  }

  /** The newest connection wins, so that dead sockets do not lock their user out. */
  #makeRoom({ userArn, sessionId }: Session): void {
    const { hub } = this.#parts
    const { sessionsPerUserMax } = this.#limits
    for (const session of hub.sessionsOf(userArn)) {
      if (session.sessionId === sessionId) session.close(closeCode.replaced, 'This sessionId has connected again')
    }
    const sessions = hub.sessionsOf(userArn)
    if (sessions.length < sessionsPerUserMax) return
    sessions[0]?.close(
      closeCode.forbidden,
      `The user has a newer session, and may have ${sessionsPerUserMax} at a time`,
    )
  }

  #establish(session: Session): void {
    if (!session.isOpen) return
    this.#established.add(session)
    session.establish()
    this.#parts.log.debug({ userArn: session.userArn, sessionId: session.sessionId }, 'messaging session established')
    if (this.#draining) session.close(closeCode.serviceRestart, restarting)
  }

  /** Closes the session when its key ends, or at once if the key was revoked while the session was opening. */
  #limitToKey(session: Session, openedAt: number): void {
    const { key, userArn } = session
    if (this.#revocations.wasRevokedSince(openedAt, [key.accessKeyId, key.parentId, userArn])) closeAsRevoked(session)
    if (key.expiresAtMs === undefined || !this.#established.has(session)) return
    const end = () => session.close(closeCode.goingAway, 'The access key has expired: connect again with a new one')
    this.#ends.set(session, this.#parts.clock.at(key.expiresAtMs, end))
  }

  #closeRevoked(subjects: ReadonlySet<string>): void {
    for (const session of this.#established) {
      const { key, userArn } = session
      const isRevoked = [key.accessKeyId, key.parentId, userArn].some((subject) => subject && subjects.has(subject))
      if (isRevoked) closeAsRevoked(session)
    }
  }

  #closeAll(): void {
    for (const session of this.#established) session.close(closeCode.serviceRestart, restarting)
  }

  #forget(session: Session): void {
    this.#ends.get(session)?.()
    this.#ends.delete(session)

    if (this.#established.delete(session)) this.#deliveredBefore += session.delivered
    this.#parts.hub.remove(session)
    this.#parts.log.debug({ userArn: session.userArn, sessionId: session.sessionId }, 'messaging session ended')
  }

  /** One frame at a time, because fifty big ones would look like a slow reader. Events are sent between them. */
  async #prefetch(session: Session, { userArn, prefetchSortBy }: ConnectParameters): Promise<void> {
    for await (const details of this.#parts.prefetch(userArn, prefetchSortBy)) {
      if (!session.isOpen) return
      await session.send(frame('CHANNEL_DETAILS', 'SYSTEM', details))
      // The read and the write may both have completed without waiting: yield to the event loop.
      await setImmediate()
    }
  }
}

const closeAsRevoked = (session: Session) =>
  session.close(closeCode.forbidden, 'The access key was suspended or deleted')

/** Without the secret, and without what the session token holds. */
const keyOf = ({ accessKeyId, parentId, expiresAtMs }: SessionKey): SessionKey => ({
  accessKeyId: detached(accessKeyId),
  parentId,
  expiresAtMs,
})

/** A copy: a substring keeps its whole text in memory, here the target of the request. */
const detached = (text: string) => Buffer.from(text).toString()

function createWebSocketServer({ inboundBytesMax, closeMsMax }: SessionLimits) {
  const options = {
    noServer: true,
    clientTracking: false,
    WebSocket: SessionSocket,
    maxPayload: inboundBytesMax,
    // @types/ws does not have it yet.
    closeTimeout: closeMsMax,
    // Used if a client offers it, for frames that go to one session only: CHANNEL_DETAILS deflates to a fifth. A socket
    // keeps its deflater until it closes; with this window and memLevel that is 98 kB, not 230, at the same ratio.
    perMessageDeflate: {
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      serverMaxWindowBits: 12,
      zlibDeflateOptions: { memLevel: 5 },
      threshold: 1024,
      concurrencyLimit: 4,
    },
  }
  return new WebSocketServer<typeof SessionSocket>(options)
}
