import {
  ConsoleLogger,
  DefaultMessagingSession,
  LogLevel,
  type Message,
  MessagingSessionConfiguration,
} from 'virtual:messaging-session'
import {
  ChimeSDKMessagingClient,
  ListChannelMessagesCommand,
  RedactChannelMessageCommand,
  SendChannelMessageCommand,
  UpdateChannelMessageCommand,
} from '@aws-sdk/client-chime-sdk-messaging'
import type { Person } from '../../server/rehearsal.ts'
import { Watched } from '../../watched.ts'
import { afterEvent, type Conversation, type WireMessage } from './conversation.ts'
import { keepConversation, keptConversation } from './kept-rehearsal.ts'
import { PageSigV4 } from './page-sig-v4.ts'

export interface NewMessage {
  content: string
  isControl: boolean
  /** The only member who gets it besides its sender. */
  targetArn: string | undefined
}

/** One of the two people: AWS's own client with the person's temporary key, and a messaging session of their own. */
export class PersonSession {
  readonly conversation: Watched<Conversation>
  readonly state = new Watched<'connecting' | 'open' | 'closed'>('connecting')
  readonly #person: Person
  readonly #channelArn: string
  readonly #client: ChimeSDKMessagingClient
  readonly #session: DefaultMessagingSession

  constructor(person: Person, channelArn: string) {
    this.#person = person
    this.#channelArn = channelArn
    this.conversation = new Watched(keptConversation(person.AppInstanceUserArn))
    const credentials = {
      accessKeyId: person.AccessKeyId,
      secretAccessKey: person.SecretAccessKey,
      sessionToken: person.SessionToken,
    }
    const [, , , region = ''] = channelArn.split(':')
    this.#client = new ChimeSDKMessagingClient({ endpoint: location.origin, region, credentials })
    const { AppInstanceUserArn: userArn } = person
    const configuration = new MessagingSessionConfiguration(userArn, null, undefined, this.#client)
    const log = new ConsoleLogger('session', LogLevel.OFF)
    const signature = new PageSigV4(this.#client)
    this.#session = new DefaultMessagingSession(configuration, log, undefined, undefined, signature)
    this.#session.addObserver({
      messagingSessionDidStart: () => this.state.set('open'),
      messagingSessionDidStartConnecting: () => this.state.set('connecting'),
      messagingSessionDidStop: () => this.state.set('closed'),
      messagingSessionDidReceiveMessage: (message) => this.#receive(message),
    })
  }

  /** Connects, then reads what was said before: nothing is missed in between. */
  async open(): Promise<void> {
    await this.#session.start()
    await this.#read()
  }

  close(): void {
    this.#session.stop()
    this.#client.destroy()
  }

  async send({ content, isControl, targetArn }: NewMessage): Promise<string> {
    const Type = isControl ? 'CONTROL' : 'STANDARD'
    const Persistence = isControl ? 'NON_PERSISTENT' : 'PERSISTENT'
    const Target = targetArn === undefined ? undefined : [{ MemberArn: targetArn }]
    const { MessageId, Status } = await this.#client.send(
      new SendChannelMessageCommand({ ...this.#bearer, Content: content, Type, Persistence, Target }),
    )
    const { AppInstanceUserArn: Arn, Name } = this.#person
    // A message that meets no flow has no PENDING: its event says that it is sent.
    if (Status?.Value === 'PENDING') {
      const sent = { MessageId, Content: content, Type, Sender: { Arn, Name }, Target, CreatedTimestamp: new Date() }
      this.#apply('PENDING_CREATE_CHANNEL_MESSAGE', sent)
    }
    return MessageId ?? ''
  }

  async edit(messageId: string, content: string): Promise<void> {
    const input = { ...this.#bearer, MessageId: messageId, Content: content }
    await this.#client.send(new UpdateChannelMessageCommand(input))
  }

  async redact(messageId: string): Promise<void> {
    await this.#client.send(new RedactChannelMessageCommand({ ...this.#bearer, MessageId: messageId }))
  }

  get #bearer() {
    return { ChannelArn: this.#channelArn, ChimeBearer: this.#person.AppInstanceUserArn }
  }

  async #read(): Promise<void> {
    const { ChannelMessages = [] } = await this.#client.send(new ListChannelMessagesCommand(this.#bearer))
    for (const message of ChannelMessages) {
      const status = message.Status?.Value ?? 'SENT'
      this.#apply(status === 'SENT' ? 'CREATE_CHANNEL_MESSAGE' : `${status}_CREATE_CHANNEL_MESSAGE`, message)
    }
  }

  #receive({ type, payload }: Message): void {
    const message: WireMessage & { ChannelArn?: string } = JSON.parse(payload ?? '{}')
    if (message.ChannelArn === this.#channelArn) this.#apply(type, message)
  }

  #apply(eventType: string, message: WireMessage): void {
    const next = afterEvent(this.conversation.value, eventType, message)
    keepConversation(this.#person.AppInstanceUserArn, next)
    this.conversation.set(next)
  }
}
