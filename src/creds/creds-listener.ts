import type { IncomingHttpHeaders, IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { CallsPerAddress } from '../http/calls-per-address.ts'
import { networkOf } from '../http/network-address.ts'
import { readBody } from '../http/read-body.ts'
import { SuspendedSubject } from '../keys/issue-key.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { PacedWarning } from '../runtime/paced-warning.ts'
import { Pace } from './pace.ts'
import { type Person, Unidentified, type WhoIs } from './person.ts'
import type { SignedIn } from './sign-in.ts'

/** `invalid`: no token, or a body that is too large; `failed`: the token could not be examined. */
type CredsOutcome = 'issued' | 'unknown' | 'suspended' | 'failed' | 'invalid' | 'origin' | 'rate' | 'unavailable'

export interface CredsParts {
  /** As browsers send them. */
  origins: readonly string[]
  /** Calls of one address in a minute. */
  callsPerMinute: number
  whoIs: WhoIs
  signIn(person: Person): Promise<SignedIn>
  /** Whether the server is starting, running or about to stop: then each response is the last one on its connection. */
  phase(): 'starting' | 'ready' | 'stopping'
  metrics: { countCreds(outcome: CredsOutcome): void }
  clock: Clock
  log: Pick<Log, 'debug' | 'warn'>
  newId(): string
}

interface Reply {
  /** Undefined for a preflight request, which is not counted. */
  outcome?: CredsOutcome
  status: number
  headers?: Record<string, string>
  body?: string
}

/** A caller sends nothing that matters in the body: AWS's chat sample sends none. */
const bodyBytesMax = 16_384
const preflightSeconds = 600
/** Sign-ins of the whole node, whatever the limit of an address is. Of people who come at once, 750 are served in 15 s. */
const pace = { everyMs: 20, waitMsMax: 15_000 }

const notAuthorized = (outcome: CredsOutcome): Reply => ({ outcome, status: 401, body: 'Not Authorized' })
const wrongOrigin: Reply = { outcome: 'origin', status: 403, body: 'The origin of the request is not allowed' }
const tooLarge: Reply = { outcome: 'invalid', status: 413, body: 'The request body is too large' }
const unavailable: Reply = {
  outcome: 'unavailable',
  status: 503,
  headers: { 'retry-after': '1' },
  body: 'The server is busy; try again',
}
const preflight: Reply = {
  status: 204,
  headers: {
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': 'authorization, content-type',
    'access-control-max-age': String(preflightSeconds),
  },
}

/**
 * Serves `POST /creds`, the credential exchange service of AWS's chat sample: the person for whom the token in
 * `Authorization` stands gets a key. Only pages of the given origins may call.
 */
export class CredsListener {
  readonly #parts: CredsParts
  readonly #calls: CallsPerAddress
  readonly #pace: Pace
  readonly #failures: PacedWarning
  #failed = { calls: 0, reason: '' }

  constructor(parts: CredsParts) {
    this.#parts = parts
    this.#calls = new CallsPerAddress(parts.callsPerMinute)
    this.#pace = new Pace(parts.clock, pace)
    this.#failures = new PacedWarning(parts.clock, () => this.#warn())
  }

  /** Serves calls of `/creds`, and gives all other requests to this listener. */
  before(listener: RequestListener): RequestListener {
    return (request, response) => {
      if (isOwn(request)) void this.#serve(request, response)
      else listener(request, response)
    }
  }

  /** Calls that wait for their turn get a response now. */
  close(): void {
    this.#pace.close()
    this.#failures.close()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // The connection was evicted, and its last response is being sent.
    if (request.socket.writableEnded) return
    const { newId, log, metrics, phase, origins } = this.#parts
    const requestId = newId()
    response.on('error', (err) => log.debug({ requestId, err }, 'sending the response failed'))
    const reply = await this.#replyTo(request)
    if (reply?.outcome) metrics.countCreds(reply.outcome)
    log.debug({ requestId, outcome: reply?.outcome, status: reply?.status }, 'creds: request completed')
    if (!reply) return
    const { origin } = request.headers
    const headers = {
      ...(origin !== undefined && origins.includes(origin) && allowed(origin)),
      ...(phase() === 'stopping' && { connection: 'close' }),
      'x-amzn-RequestId': requestId,
    }
    send(response, reply, headers)
  }

  /** Undefined if the caller aborted. */
  async #replyTo(request: IncomingMessage): Promise<Reply | undefined> {
    const body = await readBody(request, bodyBytesMax)
    if (body === 'aborted') return undefined
    const { origins, phase, clock } = this.#parts
    const { origin, authorization } = request.headers
    if (origin === undefined || !origins.includes(origin)) return wrongOrigin
    if (request.method === 'OPTIONS') return preflight
    if (body === 'too large') return tooLarge
    if (phase() !== 'ready') return unavailable
    const retryAfter = this.#calls.count(networkOf(request.socket.remoteAddress ?? ''), clock.now())
    if (retryAfter !== undefined) return tooMany(retryAfter)
    if (!authorization) return notAuthorized('invalid')
    if (!(await this.#pace.turn())) return unavailable
    return request.socket.destroyed ? undefined : this.#exchange(authorization)
  }

  async #exchange(authorization: string): Promise<Reply> {
    const { whoIs, signIn, phase } = this.#parts
    try {
      const person = await whoIs(authorization)
      if (!person) return notAuthorized('unknown')
      const headers = { 'content-type': 'application/json' }
      return { outcome: 'issued', status: 200, headers, body: JSON.stringify(await signIn(person)) }
    } catch (error) {
      if (error instanceof SuspendedSubject) return notAuthorized('suspended')
      this.#failed = { calls: this.#failed.calls + 1, reason: (error as Error).message }
      if (phase() !== 'stopping') this.#failures.request()
      return error instanceof Unidentified ? notAuthorized('failed') : unavailable
    }
  }

  #warn(): boolean {
    const { calls, reason } = this.#failed
    if (calls === 0) return false
    this.#failed = { calls: 0, reason: '' }
    this.#parts.log.warn({ calls, reason }, 'creds: sign-ins failed; the reason is that of the last one')
    return true
  }
}

const isOwn = ({ method, url = '' }: IncomingMessage) =>
  (method === 'POST' || method === 'OPTIONS') && /^\/creds(?:\?|$)/.test(url)

const tooMany = (retryAfterSeconds: number): Reply => ({
  outcome: 'rate',
  status: 429,
  headers: { 'retry-after': String(retryAfterSeconds) },
  body: 'Too many requests',
})

const allowed = (origin: string): IncomingHttpHeaders => ({
  'access-control-allow-origin': origin,
  'access-control-allow-credentials': 'true',
  'access-control-expose-headers': 'x-amzn-RequestId, Retry-After',
})

/** `Vary`, because what a cache keeps for one origin is not for another. */
function send(response: ServerResponse, { status, headers, body }: Reply, further: IncomingHttpHeaders): void {
  response.writeHead(status, {
    vary: 'Origin',
    'cache-control': 'no-store',
    ...(body !== undefined && {
      'content-type': 'text/plain; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
    }),
    ...headers,
    ...further,
  })
  response.end(body)
}
