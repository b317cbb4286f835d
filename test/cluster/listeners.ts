import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import {
  DefaultMessagingSession,
  DefaultWebSocketAdapter,
  MessagingSessionConfiguration,
  NoOpLogger,
  PrefetchOn,
} from 'amazon-chime-sdk-js'
import { WebSocket } from 'ws'
import { presign } from '../support/smithy-signer.ts'
import { clientsOf } from './clients.ts'
import type { Cluster } from './cluster.ts'
import type { History, Period, SeenEvent, SeenMessage } from './history.ts'

const connectPauseMs = 200
const connectMsMax = 5_000
/** Longer than a single node takes to start on a loaded machine: a session that gives up rejects a promise that no code awaits. */
const reconnectMsMax = 60_000

/** A session that comes back whenever it is lost; each connection is a period of its own. */
abstract class Listener {
  protected readonly cluster: Cluster
  protected readonly userArn: string
  readonly #session: string
  readonly #history: History
  protected period: Period | undefined
  protected leaving = false

  constructor(cluster: Cluster, history: History, userArn: string, session: string) {
    this.cluster = cluster
    this.#history = history
    this.userArn = userArn
    this.#session = session
  }

  get isOpen(): boolean {
    return this.period !== undefined
  }

  abstract start(): void
  abstract leave(): void

  protected hear(type: string, payload: string | undefined): void {
    if (type === 'SESSION_ESTABLISHED') this.#establish()
    else if (type === 'CHANNEL_DETAILS') this.#prefetched(JSON.parse(payload ?? ''))
    else this.period?.seen.push(seenEvent(type, JSON.parse(payload ?? '')))
  }

  protected lost(): void {
    // Who leaves at the end has heard all that there was.
    if (this.period && !this.leaving) this.period.closedAt = Date.now()
    this.period = undefined
  }

  #establish(): void {
    const { userArn } = this
    this.period = { session: this.#session, userArn, establishedAt: Date.now(), closedAt: undefined, seen: [] }
    this.#history.periods.push(this.period)
  }

  #prefetched({ Channel, ChannelMessages }: ChannelDetails): void {
    const messages = ChannelMessages.map(seenMessage).reverse()
    const { userArn } = this
    this.#history.looks.push({ way: 'prefetch', userArn, channelArn: Channel.ChannelArn, whole: false, messages })
  }
}

interface WireMessage {
  MessageId?: string | undefined
  Content?: string | undefined
  Status?: { Value?: SeenMessage['status'] | undefined } | undefined
}

interface ChannelDetails {
  Channel: { ChannelArn: string }
  ChannelMessages: WireMessage[]
}

export const seenMessage = ({ MessageId = '', Content, Status }: WireMessage): SeenMessage => {
  return { messageId: MessageId, status: Status?.Value ?? 'SENT', text: Content }
}

type Payload = WireMessage & { ChannelArn: string; Member?: { Arn: string }; Members?: { Arn: string }[] }

function seenEvent(type: string, { ChannelArn, MessageId, Member, Members, Content }: Payload): SeenEvent {
  const eventType = type as SeenEvent['eventType']
  const subject = MessageId ?? Member?.Arn ?? (Members && JSON.stringify(Members.map(({ Arn }) => Arn))) ?? ChannelArn
  return { channelArn: ChannelArn, eventType, subject, ...(Content !== undefined && { text: Content }) }
}

/** Over a plain socket. */
export class SocketListener extends Listener {
  #socket: WebSocket | undefined

  start(): void {
    void this.#stayConnected()
  }

  leave(): void {
    this.leaving = true
    this.#socket?.terminate()
  }

  async #stayConnected(): Promise<void> {
    while (!this.leaving) {
      await this.#connectOnce()
      this.lost()
      await setTimeout(connectPauseMs)
    }
  }

  /** Resolves when the connection is over. */
  async #connectOnce(): Promise<void> {
    const { url, region, credentials } = this.cluster
    const { host } = new URL(url)
    const query = `userArn=${encodeURIComponent(this.userArn)}&sessionId=${randomUUID()}&prefetch-on=connect`
    const call = { method: 'GET', target: `/connect?${query}`, headers: { host } }
    const pairs = await presign(call, { credentials, region, signingDate: new Date(), expiresInSeconds: 60 })
    const parameters = new URLSearchParams(pairs.map((pair) => [...pair]))
    const socket = new WebSocket(`ws://${host}/connect?${parameters}`, { handshakeTimeout: connectMsMax })
    this.#socket = socket
    // A frozen node takes the connection and never says a word.
    const timer = globalThis.setTimeout(() => socket.terminate(), connectMsMax)
    socket.on('message', (data) => {
      clearTimeout(timer)
      const { Headers, Payload } = JSON.parse(String(data))
      this.hear(Headers['x-amz-chime-event-type'], Payload)
    })
    socket.on('error', () => {})
    await new Promise<void>((resolve) => socket.once('close', () => resolve()))
    clearTimeout(timer)
  }
}

/** The sessions of amazon-chime-sdk-js know no scheme but wss, and behind this balancer there is no TLS. */
class PlainWebSocketAdapter extends DefaultWebSocketAdapter {
  override create(url: string, protocols: string[], isSignedUrl?: boolean): void {
    super.create(url.replace(/^wss:/, 'ws:'), protocols, isSignedUrl)
  }
}

/** By amazon-chime-sdk-js, which comes back by itself. */
export class SdkListener extends Listener {
  #session: DefaultMessagingSession | undefined

  start(): void {
    const { messaging } = clientsOf(this.cluster)
    const configuration = new MessagingSessionConfiguration(this.userArn, randomUUID(), undefined, messaging)
    configuration.prefetchOn = PrefetchOn.Connect
    configuration.reconnectShortBackoffMs = connectPauseMs
    configuration.reconnectLongBackoffMs = connectMsMax
    configuration.reconnectTimeoutMs = reconnectMsMax
    const log = new NoOpLogger()
    const session = new DefaultMessagingSession(configuration, log, new PlainWebSocketAdapter(log))
    this.#session = session
    session.addObserver({
      messagingSessionDidStartConnecting: (again) => {
        if (again) this.lost()
      },
      messagingSessionDidReceiveMessage: ({ type, payload }) => this.hear(type, payload),
      messagingSessionDidStop: () => {
        this.lost()
        if (!this.leaving)
          setTimeout(connectPauseMs).then(
            () => this.start(),
            () => {},
          )
      },
    })
    // Its observer is told as well.
    session.start().catch(() => {})
  }

  leave(): void {
    this.leaving = true
    this.#session?.stop()
  }
}
