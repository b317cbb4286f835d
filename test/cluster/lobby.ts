import type {
  ChannelMessageCallback,
  SendChannelMessageCommandInput,
  Tag,
  UpdateChannelMessageCommandInput,
} from '@aws-sdk/client-chime-sdk-messaging'
import type { ProcessorEvent } from '../../src/processor/processor-event.ts'
import { processor } from '../support/population.ts'
import type { ClusterServer } from './cluster-server.ts'

/** A channel with two people in it, and a third outside. Every call says which node it goes to. */
export class Lobby {
  readonly appInstanceArn: string
  readonly channelArn: string

  private constructor(appInstanceArn: string, channelArn: string) {
    this.appInstanceArn = appInstanceArn
    this.channelArn = channelArn
  }

  static async open({ identity, messaging }: ClusterServer): Promise<Lobby> {
    const { AppInstanceArn } = await identity.createAppInstance({ Name: 'cluster' })
    for (const name of ['owner', 'member', 'stranger']) {
      await identity.createAppInstanceUser({ AppInstanceArn, AppInstanceUserId: name, Name: name })
    }
    const user = (name: string) => `${AppInstanceArn}/user/${name}`
    const channel = { AppInstanceArn, Name: 'Lobby', ChimeBearer: user('owner'), MemberArns: [user('member')] }
    const { ChannelArn } = await messaging.createChannel(channel)
    return new Lobby(AppInstanceArn!, ChannelArn!)
  }

  get owner(): string {
    return `${this.appInstanceArn}/user/owner`
  }

  get member(): string {
    return `${this.appInstanceArn}/user/member`
  }

  get stranger(): string {
    return `${this.appInstanceArn}/user/stranger`
  }

  /** A flow of these functions for the channel, one after the other. */
  async attachFlow({ messaging }: ClusterServer, names: string[], Tags?: Tag[]): Promise<void> {
    const flow = { AppInstanceArn: this.appInstanceArn, Name: 'Flow', Processors: names.map(processor) }
    const { ChannelFlowArn } = await messaging.createChannelFlow({ ...flow, Tags })
    await messaging.associateChannelFlow({ ChannelArn: this.channelArn, ChannelFlowArn, ChimeBearer: this.owner })
  }

  /** Who may, in which channel: the member, unless told otherwise. */
  place(ChimeBearer = this.member) {
    return { ChannelArn: this.channelArn, ChimeBearer }
  }

  async send(node: ClusterServer, Content: string, more: Partial<SendChannelMessageCommandInput> = {}) {
    const message = { Content, Type: 'STANDARD', Persistence: 'PERSISTENT' } as const
    const { MessageId } = await node.messaging.sendChannelMessage({ ...this.place(), ...message, ...more })
    return MessageId!
  }

  update({ messaging }: ClusterServer, more: Pick<UpdateChannelMessageCommandInput, 'MessageId' | 'Content'>) {
    return messaging.updateChannelMessage({ ...this.place(), ...more })
  }

  /** The processor's verdict: the message passes, with these members changed. */
  allow({ messaging }: ClusterServer, event: ProcessorEvent, changes: Partial<ChannelMessageCallback> = {}) {
    return messaging.channelFlowCallback({ ...verdictOn(event, changes) })
  }

  deny({ messaging }: ClusterServer, event: ProcessorEvent) {
    return messaging.channelFlowCallback({ ...verdictOn(event), DeleteResource: true })
  }

  /** What the member is shown of the channel, the oldest first. */
  async history({ messaging }: ClusterServer): Promise<string[]> {
    const list = { ...this.place(), SortOrder: 'ASCENDING', MaxResults: 50 } as const
    const { ChannelMessages } = await messaging.listChannelMessages(list)
    return ChannelMessages!.map(({ Content }) => Content!)
  }
}

const verdictOn = ({ CallbackId, ChannelMessage }: ProcessorEvent, changes: Partial<ChannelMessageCallback> = {}) => ({
  ChannelArn: ChannelMessage.ChannelArn,
  CallbackId,
  ChannelMessage: { MessageId: ChannelMessage.MessageId, ...changes },
})
