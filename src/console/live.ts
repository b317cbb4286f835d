import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocket, WebSocketServer } from 'ws'
import { ApiError } from '../contract/api-error.ts'
import { type Cancel, type Clock, every } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { refuseUpgrade } from '../session/refuse-upgrade.ts'
import type { Committed } from '../store/store.ts'
import { readCookie } from './cookie.ts'
import { type Facts, type Scope, textOf } from './live-facts.ts'
import { LiveMessages } from './live-messages.ts'
import { LiveOutput } from './live-output.ts'
import { isOwnOrigin } from './same-origin.ts'
import type { ConsoleSession, ConsoleSessions } from './sessions.ts'

/** Open consoles of this node. One more gets HTTP 503. */
const consolesMax = 200
/** The least time between two frames. */
const frameEveryMs = 1_000
/** Changes that come together are one frame. */
const gatherMs = 100
/** Sessions that have ended on any node are found so often. */
const checkEveryMs = 1_000
/** Failed messages leave the last hour without a change of the store. */
const refreshEveryMs = 60_000
/** A page that reads no more is closed, and connects again. */
const bufferedBytesMax = 4 * 2 ** 20
const shutdownMsMax = 1_000

const closeCode = { serviceRestart: 1012, tryAgainLater: 1013, signedOut: 4401 } as const

interface LiveParts {
  sessions: Pick<ConsoleSessions, 'find' | 'findByHash'>
  facts(scope: Scope): Promise<Facts>
  /** Whether other nodes change the store, whose commits this node does not see. */
  isShared: boolean
  clock: Clock
  log: Pick<Log, 'debug' | 'info'>
}

/** All consoles that see the same. */
interface Audience extends Scope {
  sockets: Set<WebSocket>
  /** The facts of the latest reading. */
  latest: { version: number; facts: Promise<Facts> } | undefined
  /** The text of the facts that were sent last. */
  sent: string
}

/**
 * Shows consoles what changes, by one WebSocket for each page: at most one frame a second, which is built once for all
 * consoles of a scope. While no console is open, nothing is read, and no change is kept. While nothing changes, the store
 * is read for the sessions only.
 */
export class Live {
  readonly #parts: LiveParts
  readonly #server = new WebSocketServer({ noServer: true, clientTracking: false, maxPayload: 1_024 })
  readonly #audiences = new Map<string, Audience>()
  readonly #sessions = new Map<WebSocket, string>()
  readonly #messages = new LiveMessages()
  readonly #output = new LiveOutput()
  #version = 0
  #frameAt = Number.NEGATIVE_INFINITY
  #cancelFrame: Cancel | undefined
  #cancelChecks: Cancel = () => {}
  #isClosed = false
  #onEmpty: () => void = () => {}

  constructor(parts: LiveParts) {
    this.#parts = parts
  }

  /** The node has committed something. */
  committed(commit: Pick<Committed, 'events'>): void {
    if (this.#sessions.size === 0) return
    this.#messages.note(commit)
    this.changed()
  }

  printed(functionName: string, line: string): void {
    if (this.#sessions.size === 0) return
    this.#output.note(functionName, line, this.#parts.clock.now())
    this.#frameSoon()
  }

  /** Something that facts show may be different. */
  changed(): void {
    if (this.#sessions.size === 0) return
    this.#version += 1
    this.#frameSoon()
  }

  /** Opens a page's WebSocket, or rejects it. */
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    stream.on('error', () => stream.destroy())
    this.#admit(request)
      .then((session) => this.#server.handleUpgrade(request, stream, head, (socket) => this.#open(socket, session)))
      .catch((error: unknown) => refuseUpgrade(stream, error instanceof ApiError ? error : unavailable()))
  }

  /** Closes all, and resolves when they are closed. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancelFrame?.()
    if (this.#sessions.size === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onEmpty = resolve
    for (const socket of this.#sessions.keys()) socket.close(closeCode.serviceRestart, 'The server is restarting')
    const { clock } = this.#parts
    const cancel = clock.at(clock.now() + shutdownMsMax, () => {
      for (const socket of this.#sessions.keys()) socket.terminate()
    })
    await promise
    cancel()
  }

  async #admit({ headers }: IncomingMessage): Promise<ConsoleSession> {
    if (!isOwnOrigin(headers)) throw new ApiError('Forbidden', 'The WebSocket comes from a page of another origin')
    const session = await this.#parts.sessions.find(readCookie(headers))
    if (!session) throw new ApiError('Unauthorized', 'There is no session: sign in')
    if (this.#isClosed || this.#sessions.size >= consolesMax) throw unavailable()
    return session
  }

  #open(socket: WebSocket, { hash, role, appInstanceArn }: ConsoleSession): void {
    if (this.#isClosed) {
      socket.terminate()
      return
    }
    const scope = { appInstanceArn, seesOutput: role === 'operator' && appInstanceArn === undefined }
    const audience = this.#audienceOf(scope)
    audience.sockets.add(socket)
    if (this.#sessions.size === 0) this.#beginChecks()
    this.#sessions.set(socket, hash)
    socket.on('error', (err) => this.#parts.log.debug({ err }, 'console: protocol error'))
    socket.on('close', () => this.#forget(socket, audience))
    this.#greet(socket, audience).catch((err: unknown) => {
      this.#parts.log.debug({ err }, 'console: the first frame could not be built')
      socket.close(closeCode.tryAgainLater, 'The server is busy')
    })
  }

  async #greet(socket: WebSocket, audience: Audience): Promise<void> {
    const facts = await this.#factsOf(audience)
    if (audience.sent === '') audience.sent = textOf(facts)
    send(socket, JSON.stringify({ ...facts, messages: [], output: [] }))
  }

  #audienceOf(scope: Scope): Audience {
    const key = JSON.stringify(scope)
    const audience = this.#audiences.get(key) ?? { ...scope, sockets: new Set(), latest: undefined, sent: '' }
    this.#audiences.set(key, audience)
    return audience
  }

  #forget(socket: WebSocket, audience: Audience): void {
    this.#sessions.delete(socket)
    audience.sockets.delete(socket)
    if (audience.sockets.size === 0) audience.sent = ''
    if (this.#sessions.size > 0) return
    this.#audiences.clear()
    this.#cancelChecks()
    this.#drop()
    this.#onEmpty()
  }

  /** They are read once for each change. */
  #factsOf(audience: Audience): Promise<Facts> {
    if (audience.latest?.version === this.#version) return audience.latest.facts
    const reading = { version: this.#version, facts: this.#parts.facts(audience) }
    audience.latest = reading
    reading.facts.catch(() => {
      if (audience.latest === reading) audience.latest = undefined
    })
    return reading.facts
  }

  #frameSoon(): void {
    if (this.#cancelFrame || this.#isClosed) return
    const { clock } = this.#parts
    const now = clock.now()
    // The clock may have been set back since the last frame.
    const at = Math.min(Math.max(now + gatherMs, this.#frameAt + frameEveryMs), now + frameEveryMs)
    this.#cancelFrame = clock.at(at, () => void this.#frame())
  }

  async #frame(): Promise<void> {
    this.#frameAt = this.#parts.clock.now()
    const audiences = [...this.#audiences.values()].filter(({ sockets }) => sockets.size > 0)
    const changes = audiences.map((audience) => ({ audience, messages: this.#messages.of(audience.appInstanceArn) }))
    const output = this.#output.all()
    this.#drop()
    const sent = changes.map(({ audience, messages }) =>
      this.#sendTo(audience, { messages, output: audience.seesOutput ? output : [] }),
    )
    await Promise.all(sent).catch((err: unknown) => {
      this.#parts.log.debug({ err }, 'console: a frame could not be built; trying again')
      this.changed()
    })
  }

  async #sendTo(audience: Audience, changes: { messages: object[]; output: object[] }): Promise<void> {
    const facts = await this.#factsOf(audience)
    const text = textOf(facts)
    if (text === audience.sent && changes.messages.length + changes.output.length === 0) return
    audience.sent = text
    const frame = JSON.stringify({ ...facts, ...changes })
    for (const socket of audience.sockets) send(socket, frame)
  }

  #drop(): void {
    this.#cancelFrame?.()
    this.#cancelFrame = undefined
    this.#messages.clear()
    this.#output.clear()
  }

  #beginChecks(): void {
    const { clock, isShared } = this.#parts
    const cancelSessions = every(clock, checkEveryMs, () => void this.#checkSessions())
    const cancelRefresh = every(clock, isShared ? frameEveryMs : refreshEveryMs, () => this.changed())
    this.#cancelChecks = () => {
      cancelSessions()
      cancelRefresh()
    }
  }

  /** Closes the pages whose session has ended: at its time, by a sign-out, or with its key. */
  async #checkSessions(): Promise<void> {
    const hashes = [...new Set(this.#sessions.values())]
    const { sessions } = this.#parts
    const found = await Promise.all(hashes.map((hash) => sessions.findByHash(hash))).catch(() => undefined)
    if (!found) return
    const ended = new Set(hashes.filter((_hash, index) => !found[index]))
    for (const [socket, hash] of this.#sessions) {
      if (ended.has(hash)) socket.close(closeCode.signedOut, 'The session has ended: sign in again')
    }
  }
}

const unavailable = () => new ApiError('ServiceUnavailable', 'The server is busy; try again')

function send(socket: WebSocket, frame: string): void {
  if (socket.readyState !== WebSocket.OPEN) return
  if (socket.bufferedAmount > bufferedBytesMax) socket.close(closeCode.tryAgainLater, 'The page reads too slowly')
  else socket.send(frame)
}
