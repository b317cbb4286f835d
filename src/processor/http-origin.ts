import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Cancel, Clock } from '../runtime/clock.ts'

/** From the look-up of the name to the end of the TLS handshake. */
export const connectMsMax = 5_000
/** From there to the end of the answer. A Lambda function runs this long at most, and some emulators wait for its end. */
export const answerMsMax = 15 * 60_000
/** What is longer is cut off, and its connection with it. */
const answerBytesMax = 65_536
/**
 * Connections are kept for a burst, not longer: one that the server closes at the moment it is used again looks as if
 * the server had died over the request. Few servers close what was idle for so short a time.
 */
const idleMsMax = 1_000

/** What became of a request. */
export type Outcome =
  /** Whatever the body was: it is not kept. */
  | { outcome: 'answered'; status: number; headers: IncomingHttpHeaders }
  /** It was sent, and nobody knows whether it was acted upon. */
  | { outcome: 'cut'; reason: string }
  /** Nobody there has read it. */
  | { outcome: 'unreached'; reason: string }

/**
 * A server of the operator's choice, by its scheme, host and port, and the connections kept to it. Redirects are not
 * followed: they are addresses of somebody else's choice. Node's own client does all of this, so there is no library.
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
    if (this.#closed) return { outcome: 'unreached', reason: 'the server is closing' }
    const request = this.#isSecure ? httpsRequest : httpRequest
    const options = { method: 'POST', path: target, headers, agent: this.#agent }
    return new Exchange(request(this.#url, options), this.#clock).run(body)
  }

  /** Cuts off what is under way. */
  close(): void {
    this.#closed = true
    this.#agent.destroy()
  }

  get #isSecure(): boolean {
    return this.#url.protocol === 'https:'
  }
}

/** One request, from its connection to the end of its answer. */
class Exchange {
  #request: ClientRequest
  #clock: Clock
  #connected = false
  #response: IncomingMessage | undefined
  #failure: NodeJS.ErrnoException | undefined
  #cancelLimit: Cancel = () => {}

  constructor(request: ClientRequest, clock: Clock) {
    this.#request = request
    this.#clock = clock
  }

  async run(body: string): Promise<Outcome> {
    // Node ends every request with `close`, however it went.
    const closed = new Promise((resolve) => this.#request.once('close', resolve))
    this.#request.once('socket', (socket) => this.#awaitConnection(socket))
    this.#request.once('response', (response) => this.#discard(response))
    this.#request.on('error', (error) => {
      this.#failure ??= error
    })
    this.#limit(connectMsMax, 'no connection')
    this.#request.end(body)
    await closed
    this.#cancelLimit()
    return this.#outcome()
  }

  #awaitConnection(socket: Socket): void {
    if (this.#request.reusedSocket) this.#awaitAnswer()
    else socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => this.#awaitAnswer())
  }

  #awaitAnswer(): void {
    this.#connected = true
    this.#cancelLimit()
    this.#limit(answerMsMax, 'no answer')
  }

  #discard(response: IncomingMessage): void {
    this.#response = response
    let bytes = 0
    // Its status is all that counts, so a body that ends too early does no harm.
    response.on('error', () => {})
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > answerBytesMax) response.destroy()
    })
  }

  #limit(limitMs: number, what: string): void {
    const cut = () => this.#request.destroy(new Error(`${what} within ${limitMs / 1000} s`))
    this.#cancelLimit = this.#clock.at(this.#clock.now() + limitMs, cut)
  }

  #outcome(): Outcome {
    if (this.#response) {
      const { statusCode, headers } = this.#response
      return { outcome: 'answered', status: statusCode!, headers }
    }
    const { message = '', code = 'the connection was closed' } = this.#failure ?? {}
    // HPE: what came back is not HTTP.
    const isCut = this.#connected && !code.startsWith('HPE_')
    return { outcome: isCut ? 'cut' : 'unreached', reason: message || code }
  }
}
