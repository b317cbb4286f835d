import { randomUUID } from 'node:crypto'
import { WebSocket } from 'ws'
import { presign } from '../support/smithy-signer.ts'
import type { CrashingServer } from './crashing-server.ts'
import type { Observer } from './observer.ts'

/** A user whose messaging session comes back whenever it is lost, and looks at all that it is told. */
export class Recipient {
  readonly #server: CrashingServer
  readonly #userArn: string
  readonly #observer: Observer
  #socket: WebSocket | undefined
  /** How often the session was established. */
  sessions = 0

  constructor(server: CrashingServer, userArn: string, observer: Observer) {
    this.#server = server
    this.#userArn = userArn
    this.#observer = observer
  }

  /** Connects to the server that is up now. Resolves when the session is established, or is lost before. */
  async listen(): Promise<void> {
    const { endpoint, credentials } = this.#server
    const { host } = new URL(endpoint.http)
    const query = `userArn=${encodeURIComponent(this.#userArn)}&sessionId=${randomUUID()}&prefetch-on=connect`
    const call = { method: 'GET', target: `/connect?${query}`, headers: { host } }
    const signing = { credentials, region: endpoint.region, signingDate: new Date(), expiresInSeconds: 60 }
    const pairs = await presign(call, signing)
    const socket = new WebSocket(`ws://${host}/connect?${new URLSearchParams(pairs.map((pair) => [...pair]))}`)
    this.#socket = socket
    await new Promise<void>((resolve) => {
      socket.on('message', (data) => {
        this.#hear(String(data))
        resolve()
      })
      socket.on('error', () => {})
      socket.on('close', () => resolve())
    })
  }

  leave(): void {
    this.#socket?.terminate()
  }

  #hear(text: string): void {
    const { Headers, Payload } = JSON.parse(text)
    const type = Headers['x-amz-chime-event-type']
    if (type === 'SESSION_ESTABLISHED') this.sessions += 1
    if (type === 'CHANNEL_DETAILS') {
      for (const message of JSON.parse(Payload).ChannelMessages) this.#observer.see('prefetch', message.Content)
    } else if (type.endsWith('_CHANNEL_MESSAGE')) {
      this.#observer.see('event', JSON.parse(Payload).Content)
    }
  }
}
