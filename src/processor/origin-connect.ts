import { isIP, connect as netConnect, type Socket } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import type { buildConnector } from 'undici'
import type { Clock } from '../runtime/clock.ts'
import { Countdown } from '../runtime/countdown.ts'
import { inTime } from '../runtime/in-time.ts'
import { type ShortageKind, shortageOf } from '../runtime/shortage.ts'
import { shortageBehindNotFound } from './name-lookup.ts'

/** From the look-up of the name to the end of the TLS handshake, counted while the event loop is in time. */
export const connectMsMax = 5_000
/** If the event loop stalled this long during a connect, the other side did not cause the failure. */
const stallMsMin = 1_000

/**
 * Failures to connect that a server shows while it restarts. EHOSTUNREACH is among them, and no shortage: the last router
 * before one host reports it, whereas ENETUNREACH means that this machine has no route at all.
 */
const awayCodes = ['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENOTFOUND', 'EPIPE', 'ETIMEDOUT']

/** Why a request was not sent. */
export type Unsent =
  /** The other side has not read it. `away` when a server that restarts fails in this way. */
  | { outcome: 'unreached'; reason: string; away: boolean }
  /** The other side has not read it, because this server lacks something. */
  | { outcome: 'own'; reason: string; cause: ShortageKind | 'closing' }

/** There is no connection. The client passes this error on to each request that waited for it. */
export class NotConnected extends Error {
  readonly unsent: Unsent

  constructor(unsent: Unsent) {
    super(unsent.reason)
    this.unsent = unsent
  }
}

/** Connects to one origin, with a time limit, and sorts failures into those of the other side and those of this machine. */
export class OriginConnector {
  readonly #clock: Clock
  readonly #connecting = new Set<Socket>()
  /** Resumed by the next connection, so that a burst costs one full handshake. */
  #tlsSession: Buffer | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** As the client wants it: it calls this for each connection that it lacks. */
  readonly connect: buildConnector.connector = (options, callback) => {
    const socket = this.#open(options)
    this.#connecting.add(socket)
    const attempt = new Attempt(socket, options, this.#clock)
    attempt.result
      .finally(() => this.#connecting.delete(socket))
      .then(
        () => callback(null, socket),
        (error: NotConnected) => callback(error, null),
      )
  }

  /** Ends the attempts under way. */
  close(): void {
    for (const socket of this.#connecting) socket.destroy()
  }

  #open({ protocol, hostname: host, port }: buildConnector.Options): Socket {
    if (protocol !== 'https:') return netConnect({ host, port: Number(port || 80), noDelay: true })
    const socket = tlsConnect({
      host,
      port: Number(port || 443),
      // An address is no name: RFC 6066 forbids it here.
      ...(isIP(host) === 0 && { servername: host }),
      ...(this.#tlsSession && { session: this.#tlsSession }),
      ALPNProtocols: ['http/1.1'],
    })
    socket.setNoDelay(true)
    return socket.on('session', (session) => {
      this.#tlsSession = session
    })
  }
}

/** One connection on its way. */
class Attempt {
  /** Rejects with NotConnected. */
  readonly result: Promise<void>
  readonly #hostname: string
  readonly #clock: Clock
  readonly #countdown: Countdown
  /** There is an address to connect to. */
  #isNameKnown: boolean
  #timedOut = false

  constructor(socket: Socket, { protocol, hostname }: buildConnector.Options, clock: Clock) {
    this.#hostname = hostname
    this.#clock = clock
    this.#isNameKnown = isIP(hostname) !== 0
    this.#countdown = new Countdown(clock, connectMsMax, () => {
      this.#timedOut = true
      socket.destroy(new Error(`no connection within ${connectMsMax / 1000} s`))
    })
    this.result = this.#follow(socket, protocol === 'https:' ? 'secureConnect' : 'connect')
  }

  async #follow(socket: Socket, connected: 'connect' | 'secureConnect'): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<NodeJS.ErrnoException | undefined>()
    const onEnd = () => resolve(new Error('the connection was closed'))
    socket.once('lookup', (error) => {
      this.#isNameKnown = !error
    })
    socket
      .once(connected, () => resolve(undefined))
      .on('error', resolve)
      .once('close', onEnd)
    const failure = await promise
    socket.off('error', resolve).off('close', onEnd)
    this.#countdown.cancel()
    if (!failure) return
    socket.on('error', () => {}).destroy()
    throw new NotConnected(await this.#unsent(failure))
  }

  async #unsent(failure: NodeJS.ErrnoException): Promise<Unsent> {
    const { message, code = '' } = failure
    const reason = message || code
    const away = this.#timedOut || awayCodes.includes(code)
    const cause = await this.#ownCause(failure, away)
    return cause ? { outcome: 'own', reason, cause } : { outcome: 'unreached', reason, away }
  }

  /** The shortage of this server that kept it from connecting, if it was one. */
  async #ownCause(failure: NodeJS.ErrnoException, away: boolean): Promise<ShortageKind | undefined> {
    const shortage = shortageOf(failure)
    if (shortage) return shortage
    if (away && this.#countdown.lateMs >= stallMsMin) return 'time'
    // As EAI_AGAIN, which the system says when the name servers do not respond, after longer than the limit.
    if (this.#timedOut && !this.#isNameKnown) return 'network'
    if (failure.code !== 'ENOTFOUND') return undefined
    const shortageOfNames = shortageBehindNotFound(this.#hostname)
    return inTime(this.#clock, 'the look-up of the name', connectMsMax, shortageOfNames).catch(() => 'network' as const)
  }
}
