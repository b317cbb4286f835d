import { EventEmitter, once } from 'node:events'
import { readFileSync } from 'node:fs'
import { after } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import {
  DefaultMessagingSession,
  type Message,
  MessagingSessionConfiguration,
  NoOpLogger,
  PrefetchOn,
} from 'amazon-chime-sdk-js'
import type { TestServer } from '../support/running-server.ts'
import type { Answer, Sdk } from './sdk.ts'

/** Makes this process trust the server's certificate, as NODE_EXTRA_CA_CERTS would from the start. */
export function trust({ endpoint }: TestServer): void {
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(endpoint.ca as string, 'utf8')])
}

const live = new Set<LiveSession>()
after(() => {
  // One that a failed test has left would try to connect again when the server is gone.
  for (const session of live) session.stop()
})

/** A messaging session of the real amazon-chime-sdk-js, as the samples have it. */
export class LiveSession {
  /** The types of all events so far, in the order in which they came. */
  readonly types: string[] = []
  /** What has arrived and was not asked for yet. */
  #messages: Message[] = []
  /** How many were asked for by number. */
  #taken = 0
  #arrivals = new EventEmitter()
  #session: DefaultMessagingSession

  private constructor(configuration: MessagingSessionConfiguration) {
    this.#session = new DefaultMessagingSession(configuration, new NoOpLogger())
    this.#session.addObserver({
      messagingSessionDidReceiveMessage: (message) => {
        this.types.push(message.type)
        this.#messages.push(message)
        this.#arrivals.emit('message')
      },
    })
  }

  /** Asks the API where to connect, and connects. */
  static async start(
    userArn: string,
    { call, sessionClient }: Sdk,
    { prefetch = false }: { prefetch?: boolean } = {},
  ): Promise<LiveSession> {
    const { Endpoint } = await call('getMessagingSessionEndpoint')
    const configuration = new MessagingSessionConfiguration(userArn, null, Endpoint.Url, sessionClient)
    if (prefetch) configuration.prefetchOn = PrefetchOn.Connect
    const session = new LiveSession(configuration)
    live.add(session)
    await session.#session.start()
    await session.next('SESSION_ESTABLISHED')
    return session
  }

  /** Waits for so many more events, of whatever type, and returns their types. */
  async take(count: number): Promise<string[]> {
    const taken = this.#taken
    this.#taken += count
    while (this.types.length < this.#taken) await once(this.#arrivals, 'message')
    return this.types.slice(taken, this.#taken)
  }

  /** Waits for the next event of this type, and returns its payload. Other events stay where they are. */
  async next(type: string, isMeant: (payload: Answer) => boolean = () => true): Promise<Answer> {
    const isAsked = (message: Message) => message.type === type && isMeant(JSON.parse(message.payload))
    while (!this.#messages.some(isAsked)) await once(this.#arrivals, 'message')
    const [message] = this.#messages.splice(this.#messages.findIndex(isAsked), 1)
    return JSON.parse(message!.payload)
  }

  stop(): void {
    live.delete(this)
    this.#session.stop()
  }
}
