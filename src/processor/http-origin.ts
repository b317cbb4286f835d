import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { isIP, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Cancel, Clock } from '../runtime/clock.ts'
import { Countdown } from '../runtime/countdown.ts'
import { inTime } from '../runtime/in-time.ts'
import { type ShortageKind, shortageOf } from '../runtime/shortage.ts'
import { shortageBehindNotFound } from './name-lookup.ts'

/** From the look-up of the name to the end of the TLS handshake, counted while the event loop is in time. */
export const connectMsMax = 5_000
/** When the event loop stalled this long during a connect, a failure says nothing about the other side. */
const stallMsMin = 1_000
/** From there to the end of the response. Some emulators wait for the end of the function, which has this long at most. */
export const answerMsMax = 15 * 60_000
/** A longer response is cut off, and its connection is closed. */
const answerBytesMax = 65_536
/**
 * Connections are kept for a burst, not longer: one that the server closes at the moment it is used again looks as if
 * the server had died over the request. Few servers close what was idle for so short a time.
 */
const idleMsMax = 1_000

/**
 * Failures to connect that a server shows while it restarts. EHOSTUNREACH is among them, and no shortage: the last router
 * before one host reports it, whereas ENETUNREACH means that this machine has no route at all.
 */
const awayCodes = ['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENOTFOUND', 'EPIPE', 'ETIMEDOUT']

/** The outcome of a request. */
export type Outcome =
  /** The body is discarded. */
  | { outcome: 'answered'; status: number; headers: IncomingHttpHeaders }
  /** It was sent, and may have been processed. `timedOut` when the response took too long. */
  | { outcome: 'cut'; reason: string; timedOut: boolean }
  /** The other side has not read it. `away` when a server that restarts fails in this way. */
  | { outcome: 'unreached'; reason: string; away: boolean }
  /** The other side has not read it, because this server lacks something. */
  | { outcome: 'own'; reason: string; cause: ShortageKind | 'closing' }

/**
 * A server of the operator's choice, by its scheme, host and port, and the connections kept to it. Redirects are not
 * followed: the operator did not choose their addresses. Node's own client does all of this, so there is no library.
 */
export class HttpOrigin {
  #url: URL
  #agent: HttpAgent | HttpsAgent
  #clock: Clock
  #closed = false

  /** `origin` is `http://host[:port]` or `https://host[:port]`. */
  constructor(origin: string, clock: Clock) {
    this.#url = new URL(origin)
    const kept = { keepAlive: true, timeout: idleMsMax }
    this.#agent = this.#isSecure ? new HttpsAgent(kept) : new HttpAgent(kept)
    this.#clock = clock
  }

  /** The Host header of every request to it. */
  get host(): string {
    return this.#url.host
  }

  /** Never rejects. `target` is path and query, `headers` are sent as they are. */
  async post(target: string, headers: Record<string, string>, body: string): Promise<Outcome> {
    if (this.#closed) return closing
    const request = this.#isSecure ? httpsRequest : httpRequest
    const options = { method: 'POST', path: target, headers, agent: this.#agent }
    const outcome = await new Exchange(request(this.#url, options), this.#url.hostname, this.#clock).run(body)
    return this.#closed && outcome.outcome === 'unreached' ? closing : outcome
  }

  /** Cuts off the requests in flight. */
  close(): void {
    this.#closed = true
    this.#agent.destroy()
  }

  get #isSecure(): boolean {
    return this.#url.protocol === 'https:'
  }
}

const closing: Outcome = { outcome: 'own', reason: 'the server is closing', cause: 'closing' }

/** One request, from its connection to the end of its response. */
class Exchange {
  #request: ClientRequest
  #hostname: string
  #clock: Clock
  #connecting: Countdown
  /** There is an address to connect to. */
  #isNameKnown: boolean
  #isConnected = false
  #response: IncomingMessage | undefined
  #failure: NodeJS.ErrnoException | undefined
  #timedOut = false
  #cancelAnswerLimit: Cancel = () => {}

  constructor(request: ClientRequest, hostname: string, clock: Clock) {
    this.#request = request
    this.#hostname = hostname
    this.#clock = clock
    this.#isNameKnown = isIP(hostname.replace(/^\[|\]$/g, '')) !== 0
    this.#connecting = new Countdown(clock, connectMsMax, () => this.#timeOut(connectMsMax, 'no connection'))
  }

  async run(body: string): Promise<Outcome> {
    // Node ends every request with `close`, however it went.
    const closed = new Promise((resolve) => this.#request.once('close', resolve))
    this.#request.once('socket', (socket) => this.#awaitConnection(socket))
    this.#request.once('response', (response) => this.#discard(response))
    this.#request.on('error', (error) => {
      this.#failure ??= error
    })
    this.#request.end(body)
    await closed
    this.#connecting.cancel()
    this.#cancelAnswerLimit()
    if (this.#response) {
      const { statusCode, headers } = this.#response
      return { outcome: 'answered', status: statusCode!, headers }
    }
    return this.#failed()
  }

  #awaitConnection(socket: Socket): void {
    if (this.#request.reusedSocket) {
      this.#awaitAnswer()
      return
    }
    socket.once('lookup', (error) => {
      this.#isNameKnown = !error
    })
    socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => this.#awaitAnswer())
  }

  #awaitAnswer(): void {
    this.#isConnected = true
    this.#connecting.cancel()
    const timeOut = () => this.#timeOut(answerMsMax, 'no answer')
    this.#cancelAnswerLimit = this.#clock.at(this.#clock.now() + answerMsMax, timeOut)
  }

  #discard(response: IncomingMessage): void {
    this.#response = response
    let bytes = 0
    // Only the status counts, so a body that ends too early does no harm.
    response.on('error', () => {})
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > answerBytesMax) response.destroy()
    })
  }

  #timeOut(limitMs: number, what: string): void {
    this.#timedOut = true
    this.#request.destroy(new Error(`${what} within ${limitMs / 1000} s`))
  }

  async #failed(): Promise<Outcome> {
    const { message = '', code = 'the connection was closed' } = this.#failure ?? {}
    const reason = message || code
    // HPE: the response is not HTTP.
    if (this.#isConnected && !code.startsWith('HPE_')) return { outcome: 'cut', reason, timedOut: this.#timedOut }
    const away = this.#timedOut || awayCodes.includes(code)
    const cause = await this.#ownCause(code, away)
    return cause ? { outcome: 'own', reason, cause } : { outcome: 'unreached', reason, away }
  }

  /** The shortage of this server that kept it from connecting, if it was one. */
  async #ownCause(code: string, away: boolean): Promise<ShortageKind | undefined> {
    const shortage = shortageOf(this.#failure)
    if (shortage) return shortage
    if (away && this.#connecting.lateMs >= stallMsMin) return 'time'
    // As EAI_AGAIN, which the system says when the name servers do not respond, after longer than the limit.
    if (this.#timedOut && !this.#isNameKnown) return 'network'
    if (code !== 'ENOTFOUND') return undefined
    const shortageOfNames = shortageBehindNotFound(this.#hostname)
    return inTime(this.#clock, 'the look-up of the name', connectMsMax, shortageOfNames).catch(() => 'network' as const)
  }
}
