import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { ChimeSDKMessagingClient } from '@aws-sdk/client-chime-sdk-messaging'
import { DefaultMessagingSession, MessagingSessionConfiguration, NoOpLogger, PrefetchOn } from 'amazon-chime-sdk-js'
import { WebSocket } from 'ws'
import { presign } from '../support/smithy-signer.ts'
import type { CrashingServer } from './crashing-server.ts'
import type { Observer } from './observer.ts'

/** A user whose messaging session comes back whenever it is lost, and looks at all that it is told. */
export abstract class Recipient {
  protected readonly server: CrashingServer
  protected readonly userArn: string
  readonly #observer: Observer
  /** How often the session was established. */
  sessions = 0

  constructor(server: CrashingServer, userArn: string, observer: Observer) {
    this.server = server
    this.userArn = userArn
    this.#observer = observer
  }

  /** Connects to the server that is up now. Resolves when the session is established, or is lost before. */
  abstract listen(): Promise<void>
  abstract leave(): void

  protected hear(type: string, payload: string): void {
    if (type === 'SESSION_ESTABLISHED') this.sessions += 1
    if (type === 'CHANNEL_DETAILS') {
      for (const message of JSON.parse(payload).ChannelMessages) this.#observer.see('prefetch', message.Content)
    } else if (type.endsWith('_CHANNEL_MESSAGE')) {
      this.#observer.see('event', JSON.parse(payload).Content)
    }
  }
}

/** Over a socket of its own, without TLS. */
export class SocketRecipient extends Recipient {
  #socket: WebSocket | undefined

  async listen(): Promise<void> {
    const { endpoint, credentials } = this.server
    const { host } = new URL(endpoint.http)
    const query = `userArn=${encodeURIComponent(this.userArn)}&sessionId=${randomUUID()}&prefetch-on=connect`
    const call = { method: 'GET', target: `/connect?${query}`, headers: { host } }
    const signing = { credentials, region: endpoint.region, signingDate: new Date(), expiresInSeconds: 60 }
    const pairs = await presign(call, signing)
    const socket = new WebSocket(`ws://${host}/connect?${new URLSearchParams(pairs.map((pair) => [...pair]))}`)
    this.#socket = socket
    await new Promise<void>((resolve) => {
      socket.on('message', (data) => {
        const { Headers, Payload } = JSON.parse(String(data))
        this.hear(Headers['x-amz-chime-event-type'], Payload)
        resolve()
      })
      socket.on('error', () => {})
      socket.on('close', () => resolve())
    })
  }

  leave(): void {
    this.#socket?.terminate()
  }
}

/** By amazon-chime-sdk-js, over TLS. */
export class SdkRecipient extends Recipient {
  #session: DefaultMessagingSession | undefined

  async listen(): Promise<void> {
    this.leave()
    const { endpoint, credentials } = this.server
    setDefaultCACertificates([...getCACertificates('bundled'), readFileSync(endpoint.ca as string, 'utf8')])
    const client = new ChimeSDKMessagingClient({ endpoint: endpoint.http, region: endpoint.region, credentials })
    const configuration = new MessagingSessionConfiguration(this.userArn, randomUUID(), undefined, client)
    configuration.prefetchOn = PrefetchOn.Connect
    // Who starts the server again says when to come back.
    configuration.reconnectTimeoutMs = 0
    const session = new DefaultMessagingSession(configuration, new NoOpLogger())
    this.#session = session
    session.addObserver({ messagingSessionDidReceiveMessage: ({ type, payload }) => this.hear(type, payload) })
    // Its start() does not always settle when the server dies meanwhile.
    await Promise.race([session.start().catch(() => {}), this.server.died])
  }

  leave(): void {
    this.#session?.stop()
  }
}
