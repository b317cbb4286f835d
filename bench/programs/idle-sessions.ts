import { randomUUID } from 'node:crypto'
import { Api } from '../wire/calls.ts'
import { Session } from '../wire/session.ts'

export interface OpenInput {
  /** `ws://host:port` or `wss://host:port`. */
  url: string
  /** One session for each. */
  userArns: string[]
}

/** Connects at once: as many as a server after a restart has to take at least. */
const connectsAtOnce = 32

/** Sessions that only receive. */
export class IdleSessions {
  readonly #sessions: Session[] = []
  readonly #ca: string | undefined

  constructor(ca: string | undefined) {
    this.#ca = ca
  }

  get frames(): number {
    return this.#sessions.reduce((sum, session) => sum + session.frames, 0)
  }

  async open({ url, userArns }: OpenInput): Promise<{ seconds: number }> {
    const api = new Api(url.replace('ws', 'http'))
    const began = performance.now()
    const waiting = userArns.values()
    const connectSome = async () => {
      for (const userArn of waiting) {
        const target = api.connectTarget(api.host, userArn, randomUUID())
        this.#sessions.push(await Session.open({ url, target, ca: this.#ca }))
      }
    }
    await Promise.all(Array.from({ length: connectsAtOnce }, connectSome))
    return { seconds: (performance.now() - began) / 1000 }
  }
}
