import type {
  ChannelMessageCallback,
  CreateChannelCommandInput,
  CreateChannelFlowCommandInput,
  Processor,
  SendChannelMessageCommandInput,
  UpdateChannelMessageCommandInput,
} from '@aws-sdk/client-chime-sdk-messaging'
import type { ProcessorEvent } from '../../src/processor/processor-event.ts'
import type { TestServer } from './running-server.ts'

/** The roles of a channel; each user has one. */
export const roles = ['admin', 'moderator', 'member', 'hidden', 'stranger'] as const
export type Role = (typeof roles)[number]

/** An AppInstance with a channel and one user for every role. The owner is both member and moderator. */
export class Population {
  readonly server: TestServer
  readonly appInstanceArn: string
  readonly owner: string
  readonly admin: string
  readonly moderator: string
  readonly member: string
  readonly hidden: string
  readonly stranger: string
  channelArn = ''

  constructor(server: TestServer, appInstanceArn: string) {
    this.server = server
    this.appInstanceArn = appInstanceArn
    this.owner = this.user('owner')
    this.admin = this.user('admin')
    this.moderator = this.user('moderator')
    this.member = this.user('member')
    this.hidden = this.user('hidden')
    this.stranger = this.user('stranger')
  }

  /** The ARN of a user, whether or not there is one. */
  user(id: string): string {
    return `${this.appInstanceArn}/user/${id}`
  }

  /** Creates a user with its id as its name. */
  async createUser(id: string): Promise<string> {
    await this.server.identity.createAppInstanceUser({
      AppInstanceArn: this.appInstanceArn,
      AppInstanceUserId: id,
      Name: id,
    })
    return this.user(id)
  }

  /** Creates a channel of the owner, with the usual members. */
  async createChannel(input: Partial<CreateChannelCommandInput> = {}): Promise<string> {
    const { messaging } = this.server
    const { ChannelArn } = await messaging.createChannel({
      AppInstanceArn: this.appInstanceArn,
      ChimeBearer: this.owner,
      Name: 'Lobby',
      MemberArns: [this.member],
      ModeratorArns: [this.moderator],
      ...input,
    })
    const hidden = { MemberArn: this.hidden, Type: 'HIDDEN' } as const
    await messaging.createChannelMembership({ ChannelArn, ChimeBearer: this.owner, ...hidden })
    return ChannelArn!
  }

  /** A channel flow of these functions, one after the other. */
  async createFlow(names: string[], input: Partial<CreateChannelFlowCommandInput> = {}): Promise<string> {
    const { ChannelFlowArn } = await this.server.messaging.createChannelFlow({
      AppInstanceArn: this.appInstanceArn,
      Name: 'Flow',
      Processors: names.map(processor),
      ...input,
    })
    return ChannelFlowArn!
  }

  /** A new channel flow of these functions, associated with the channel. */
  async attachFlow(names: string[], input: Partial<CreateChannelFlowCommandInput> = {}): Promise<string> {
    const ChannelFlowArn = await this.createFlow(names, input)
    const association = { ChannelArn: this.channelArn, ChannelFlowArn, ChimeBearer: this.owner }
    await this.server.messaging.associateChannelFlow(association)
    return ChannelFlowArn
  }

  /** Sends a message of the member to the channel, by default. */
  message(input: Partial<SendChannelMessageCommandInput> = {}): SendChannelMessageCommandInput {
    const standard = { Content: 'hello', Type: 'STANDARD', Persistence: 'PERSISTENT' } as const
    return { ChannelArn: this.channelArn, ChimeBearer: this.member, ...standard, ...input }
  }

  send(input: Partial<SendChannelMessageCommandInput> = {}) {
    return this.server.messaging.sendChannelMessage(this.message(input))
  }

  /** Sends into a flow. Returns the event that the first processor receives. */
  async sendHeld(input: Partial<SendChannelMessageCommandInput> = {}): Promise<ProcessorEvent> {
    const { MessageId } = await this.send(input)
    return this.server.processors.next(MessageId)
  }

  /** Updates the member's message, by default. */
  update(MessageId: string | undefined, input: Partial<UpdateChannelMessageCommandInput> = {}) {
    return this.server.messaging.updateChannelMessage({
      ChannelArn: this.channelArn,
      ChimeBearer: this.member,
      MessageId,
      Content: 'edited',
      ...input,
    })
  }

  /** Sends an update into a flow. Returns the event that the first processor receives. */
  async updateHeld(MessageId: string | undefined, input: Partial<UpdateChannelMessageCommandInput> = {}) {
    await this.update(MessageId, input)
    return this.server.processors.next(MessageId)
  }

  redact(MessageId: string | undefined, ChimeBearer = this.member) {
    return this.server.messaging.redactChannelMessage({ ChannelArn: this.channelArn, MessageId, ChimeBearer })
  }

  delete(MessageId: string | undefined, ChimeBearer = this.admin) {
    return this.server.messaging.deleteChannelMessage({ ChannelArn: this.channelArn, MessageId, ChimeBearer })
  }

  /** The processor's verdict on an event: the message passes, with these members changed. */
  allow({ CallbackId, ChannelMessage }: ProcessorEvent, changes: Partial<ChannelMessageCallback> = {}) {
    const { ChannelArn, MessageId } = ChannelMessage
    return this.server.messaging.channelFlowCallback({
      ChannelArn,
      CallbackId,
      ChannelMessage: { MessageId, ...changes },
    })
  }

  deny({ CallbackId, ChannelMessage }: ProcessorEvent, changes: Partial<ChannelMessageCallback> = {}) {
    const { ChannelArn, MessageId } = ChannelMessage
    return this.server.messaging.channelFlowCallback({
      ChannelArn,
      CallbackId,
      DeleteResource: true,
      ChannelMessage: { MessageId, ...changes },
    })
  }

  /** The message as this user gets it. */
  async read(MessageId: string | undefined, ChimeBearer = this.member) {
    const { ChannelMessage } = await this.server.messaging.getChannelMessage({
      ChannelArn: this.channelArn,
      MessageId,
      ChimeBearer,
    })
    return ChannelMessage!
  }

  /** The status of the member's own message. */
  async status(MessageId: string | undefined) {
    const { Status } = await this.server.messaging.getChannelMessageStatus({
      ChannelArn: this.channelArn,
      MessageId,
      ChimeBearer: this.member,
    })
    return Status!.Value
  }

  /** The contents of the channel's messages as this user lists them, the oldest first. */
  async history(ChimeBearer = this.member): Promise<(string | undefined)[]> {
    const { ChannelMessages } = await this.server.messaging.listChannelMessages({
      ChannelArn: this.channelArn,
      ChimeBearer,
      SortOrder: 'ASCENDING',
    })
    return ChannelMessages!.map((message) => message.Content)
  }
}

export const functionArn = (name: string) => `arn:aws:lambda:us-east-1:111122223333:function:${name}`

/** The processor of a flow that calls the function `name`. Its index in the list is its execution order. */
export const processor = (name: string, index = 0): Processor => ({
  Name: name,
  Configuration: { Lambda: { ResourceArn: functionArn(name), InvocationType: 'ASYNC' } },
  ExecutionOrder: index + 1,
  FallbackAction: 'ABORT',
})

export async function populate(
  server: TestServer,
  channel: Partial<CreateChannelCommandInput> = {},
): Promise<Population> {
  const { AppInstanceArn } = await server.identity.createAppInstance({ Name: 'Population' })
  const people = new Population(server, AppInstanceArn!)
  for (const id of ['owner', ...roles]) await people.createUser(id)
  await server.identity.createAppInstanceAdmin({ AppInstanceArn, AppInstanceAdminArn: people.admin })
  people.channelArn = await people.createChannel(channel)
  return people
}
