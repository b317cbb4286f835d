import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Dispatcher, Pool } from 'undici'
import type { Cancel, Clock } from '../runtime/clock.ts'
import { NotConnected, OriginConnector, type Unsent } from './origin-connect.ts'

/** From the connection to the end of the response. Some emulators wait for the end of the function: so long at most. */
export const answerMsMax = 15 * 60_000
/** A longer response is cut off, and its connection is closed. */
const answerBytesMax = 65_536
/**
 * Connections are kept for a burst, not longer: one that the server closes at the moment it is used again looks as if
 * the server had died over the request. Few servers close what was idle for so short a time.
 */
const idleMsMax = 1_000
/** A server's keep-alive time ends when it closes the connection, so the last bytes must arrive before it. */
const keepAliveMarginMs = 1_000

type Headers = Record<string, string | string[] | undefined>

/** The outcome of a request. */
export type Outcome =
  /** The body is discarded. */
  | { outcome: 'answered'; status: number; headers: Headers }
  /** It was sent, and may have been processed. `timedOut` when the response took too long. */
  | { outcome: 'cut'; reason: string; timedOut: boolean }
  | Unsent

/**
 * A server of the operator's choice, by its scheme, host and port, and the connections kept to it. Redirects are not
 * followed: the operator did not choose their addresses.
 *
 * The client is undici's pool: docs/adr/0016-undici-calls-the-endpoint.md has the figures.
 */
export class HttpOrigin {
  /** The Host header of every request to it. */
  readonly host: string
  readonly #clock: Clock
  readonly #connector: OriginConnector
  readonly #pool: Pool
  #closed = false

  /** `origin` is `http://host[:port]` or `https://host[:port]`. */
  constructor(origin: string, clock: Clock) {
    this.host = new URL(origin).host
    this.#clock = clock
    this.#connector = new OriginConnector(clock)
    this.#pool = new Pool(origin, {
      connect: this.#connector.connect,
      allowH2: false,
      keepAliveTimeout: idleMsMax,
      keepAliveMaxTimeout: idleMsMax,
      keepAliveTimeoutThreshold: keepAliveMarginMs,
      // The one limit is that of the exchange.
      headersTimeout: 0,
      bodyTimeout: 0,
    })
  }

  /** Never rejects. `target` is path and query, `headers` are sent as they are. */
  async post(path: string, headers: Record<string, string>, body: string): Promise<Outcome> {
    if (this.#closed) return closing
    const exchange = new Exchange(this.#clock)
    this.#pool.dispatch({ method: 'POST', path, headers, body }, exchange)
    const outcome = await exchange.outcome
    // The client takes a connection back one turn later: a request before that would open another one.
    await nextTurn()
    return this.#closed && outcome.outcome === 'unreached' ? closing : outcome
  }

  /** Cuts off the requests in flight. */
  async close(): Promise<void> {
    this.#closed = true
    this.#connector.close()
    await this.#pool.destroy()
  }
}

const closing: Outcome = { outcome: 'own', reason: 'the server is closing', cause: 'closing' }

/** One request, from its connection to the end of its response. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly outcome: Promise<Outcome>
  readonly #resolve: (outcome: Outcome) => void
  readonly #clock: Clock
  #isSent = false
  #answered: Outcome | undefined
  #bytes = 0
  #timedOut = false
  #cancelLimit: Cancel = () => {}

  constructor(clock: Clock) {
    this.#clock = clock
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    this.outcome = promise
    this.#resolve = resolve
  }

  /** There is a connection, and the request is about to be written. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#isSent = true
    this.#cancelLimit = this.#clock.at(this.#clock.now() + answerMsMax, () => {
      this.#timedOut = true
      controller.abort(new Error(`no answer within ${answerMsMax / 1000} s`))
    })
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    // An interim response, such as 103: the real one follows.
    if (status >= 200) this.#answered = { outcome: 'answered', status, headers }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#bytes > answerBytesMax) controller.abort(new Error(`a response of more than ${answerBytesMax} bytes`))
  }

  onResponseEnd(): void {
    this.#end(this.#answered!)
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    // Only the status counts, so a body that ends too early does no harm.
    this.#end(this.#answered ?? this.#failed(error))
  }

  #end(outcome: Outcome): void {
    this.#cancelLimit()
    this.#resolve(outcome)
  }

  #failed(error: NodeJS.ErrnoException): Outcome {
    if (error instanceof NotConnected) return error.unsent
    const { code = '', message } = error
    // The words that operators know from Node.
    const reason = message === 'other side closed' ? 'socket hang up' : message || code
    if (this.#isSent && !isNotHttp(error)) return { outcome: 'cut', reason, timedOut: this.#timedOut }
    return { outcome: 'unreached', reason, away: false }
  }
}

/** The response is none that an HTTP server sends. */
const isNotHttp = ({ name, code }: NodeJS.ErrnoException) =>
  name === 'HTTPParserError' || code === 'UND_ERR_HEADERS_OVERFLOW'
