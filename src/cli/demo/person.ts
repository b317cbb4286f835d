import type { DefaultMessagingSession } from 'amazon-chime-sdk-js'
import type { Seen } from './scenarios.ts'
import type { Clients } from './sdk.ts'

/** The messages that a person receives from one channel. */
export class Channel {
  /** The STANDARD messages so far, in the order of arrival. */
  readonly seen: Seen[] = []
  /** The first of them that is more than PENDING. */
  readonly outcome = Promise.withResolvers<void>()
  /**
   * A CONTROL message. No flow holds it and it overtakes nothing, so messages sent before it have arrived or never
   * will.
   */
  readonly end = Promise.withResolvers<void>()
}

/** A user with an open messaging session. */
export class Person {
  readonly userArn: string
  /** Signs with a key of the user. */
  readonly messaging: Clients['messaging']
  #session: DefaultMessagingSession
  #channels = new Map<string, Channel>()
  #left = Promise.withResolvers<void>()

  constructor(userArn: string, messaging: Clients['messaging'], session: DefaultMessagingSession) {
    this.userArn = userArn
    this.messaging = messaging
    this.#session = session
    session.addObserver({
      messagingSessionDidReceiveMessage: ({ type, payload }) => this.#receive(type, payload),
      messagingSessionDidStop: () => this.#left.resolve(),
    })
  }

  /** Rejects if the server rejects the session. */
  async listen(): Promise<void> {
    await this.#session.start().catch((cause: Error | { code: number; reason: string }) => {
      throw 'code' in cause ? new Error(`the server closed a messaging session: ${cause.code} ${cause.reason}`) : cause
    })
  }

  /** Resolves when the connection is closed. */
  async leave(): Promise<void> {
    this.#session.stop()
    await this.#left.promise
  }

  /** The same object every time, also before the first event of the channel. */
  channel(channelArn: string): Channel {
    const channel = this.#channels.get(channelArn) ?? new Channel()
    this.#channels.set(channelArn, channel)
    return channel
  }

  #receive(type: string, payload: string): void {
    if (!type.endsWith('_CHANNEL_MESSAGE')) return
    const { ChannelArn, Content, Type } = JSON.parse(payload) as { ChannelArn: string; Content: string; Type: string }
    const { seen, outcome, end } = this.channel(ChannelArn)
    if (Type === 'STANDARD') seen.push({ event: type.replace('_CHANNEL_MESSAGE', ''), text: Content })
    if (Type === 'CONTROL') end.resolve()
    else if (!type.startsWith('PENDING_')) outcome.resolve()
  }
}
