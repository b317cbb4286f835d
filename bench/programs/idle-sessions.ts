import { randomUUID } from 'node:crypto'
import { Api } from '../wire/calls.ts'
import { Session } from '../wire/session.ts'

export interface OpenInput {
  /** `ws://host:port` or `wss://host:port`. */
  url: string
  /** One session for each. */
  userArns: string[]
  /** The authority's certificate in PEM, for `wss`. */
  ca?: string | undefined
}

/** Concurrent connects: a server must accept at least so many after a restart. */
const connectsAtOnce = 32
/** Time limit for frames in flight. */
const arrivalMsMax = 60_000

/** Sessions that only receive. */
export class IdleSessions {
  readonly #sessions: Session[] = []
  #frames = 0
  #wanted = Number.POSITIVE_INFINITY
  #arrived = Promise.withResolvers<void>()

  async open({ url, userArns, ca }: OpenInput): Promise<{ seconds: number }> {
    const api = new Api(url.replace('ws', 'http'))
    const began = performance.now()
    const waiting = userArns.values()
    const onText = () => this.#count()
    const connectSome = async () => {
      for (const userArn of waiting) {
        const target = api.connectTarget(api.host, userArn, randomUUID())
        this.#sessions.push(await Session.open({ url, target, ca, onText }))
      }
    }
    await Promise.all(Array.from({ length: connectsAtOnce }, connectSome))
    return { seconds: (performance.now() - began) / 1000 }
  }

  /** Counts from here. */
  forget(): void {
    this.#frames = 0
    this.#wanted = Number.POSITIVE_INFINITY
  }

  /** Resolves when all sessions together have received so many text frames. */
  async received(frames: number): Promise<void> {
    this.#arrived = Promise.withResolvers()
    this.#wanted = frames
    const late = () =>
      this.#arrived.reject(new Error(`${this.#frames} of ${frames} frames arrived within ${arrivalMsMax} ms`))
    const timer = setTimeout(late, arrivalMsMax)
    if (this.#frames >= frames) this.#arrived.resolve()
    await this.#arrived.promise.finally(() => clearTimeout(timer))
    if (this.#frames !== frames) throw new Error(`${this.#frames} frames arrived, not ${frames}`)
  }

  #count(): void {
    this.#frames += 1
    if (this.#frames === this.#wanted) this.#arrived.resolve()
  }
}
