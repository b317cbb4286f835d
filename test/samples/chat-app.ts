import assert from 'node:assert/strict'
import { LiveSession } from './live-session.ts'
import type { Answer, Sdk } from './sdk.ts'

/** What the pages of AWS's samples read of every message, in a list or an event, without looking whether it is there. */
export function requireShowable(message: Answer, { withoutStatus = false } = {}): void {
  const { MessageId, Sender, Status, CreatedTimestamp } = message
  assert.ok(MessageId && Sender.Arn && Sender.Name && CreatedTimestamp, 'a message without what a page shows of it')
  assert.ok(withoutStatus || Status.Value, 'a message without its status')
}

/** A page shows them beside the member, and not among the messages. They come whenever a page is opened. */
export const isPresence = ({ Content }: Answer): boolean => Content?.startsWith('P|') === true

interface NewChannel {
  Name: string
  Mode: 'RESTRICTED' | 'UNRESTRICTED'
  Privacy: 'PUBLIC' | 'PRIVATE'
}

/**
 * A user of AWS's chat sample, with its messaging session. Each method is what the user does on a page; it makes the calls
 * that the page makes, in that order and with those parameters, and returns what the page shows then.
 */
export class ChatApp {
  readonly arn: string
  readonly session: LiveSession
  readonly #sdk: Sdk
  readonly #appInstanceArn: string

  private constructor(sdk: Sdk, appInstanceArn: string, arn: string, session: LiveSession) {
    this.#sdk = sdk
    this.#appInstanceArn = appInstanceArn
    this.arn = arn
    this.session = session
  }

  /** The hook of the sign-in makes the user at every login, whether or not it is there. */
  static async signIn(sdk: Sdk, AppInstanceArn: string, id: string): Promise<ChatApp> {
    const user = { AppInstanceArn, AppInstanceUserId: id, Name: id }
    const { AppInstanceUserArn } = await sdk.call('createAppInstanceUser', user)
    const own = await sdk.of(AppInstanceUserArn)
    return new ChatApp(own, AppInstanceArn, AppInstanceUserArn, await LiveSession.start(AppInstanceUserArn, own))
  }

  /** Waits for the next event of this type that a page shows as such. */
  hear(type: string): Promise<Answer> {
    return this.session.next(type, (payload) => !isPresence(payload))
  }

  call(operation: string, input: object = {}): Promise<Answer> {
    return this.#sdk.call(operation, { ChimeBearer: this.arn, ...input })
  }

  /** The names of the channels: public ones, the user's own, those that it moderates. */
  async openStartScreen(): Promise<string[]> {
    const { ChannelMemberships } = await this.call('listChannelMembershipsForAppInstanceUser')
    const own = ChannelMemberships.map(({ ChannelSummary, AppInstanceUserMembershipSummary }: Answer) => ({
      ...ChannelSummary,
      SubChannelId: AppInstanceUserMembershipSummary.SubChannelId,
    }))
    const { Channels } = await this.call('listChannels', { AppInstanceArn: this.#appInstanceArn })
    const moderated = (await this.call('listChannelsModeratedByAppInstanceUser')).Channels
    for (const { ChannelSummary } of moderated) {
      await this.call('describeChannel', { ChannelArn: ChannelSummary.ChannelArn })
    }
    const all = [...Channels, ...own, ...moderated.map(({ ChannelSummary }: Answer) => ChannelSummary)]
    await Promise.allSettled(all.map(({ ChannelArn }) => this.sayPresence(ChannelArn, 'Auto|Idle')))
    return [...new Map(all.map(({ ChannelArn, Name }) => [ChannelArn, Name as string])).values()].sort()
  }

  /** The people whom the user can choose from, where there is no Cognito to ask. */
  async openContacts(): Promise<string[]> {
    const { AppInstanceUsers } = await this.#sdk.call('listAppInstanceUsers', { AppInstanceArn: this.#appInstanceArn })
    return AppInstanceUsers.map(({ Name }: Answer) => Name)
  }

  async createChannel({ Name, Mode, Privacy }: NewChannel): Promise<string> {
    const Metadata = Privacy === 'PUBLIC' ? JSON.stringify({ ChannelType: 'PUBLIC_STANDARD' }) : null
    const channel = { AppInstanceArn: this.#appInstanceArn, Metadata, Name, Mode, Privacy }
    const { ChannelArn } = await this.call('createChannel', channel)
    await this.call('describeChannel', { ChannelArn })
    return ChannelArn
  }

  async openChannel(ChannelArn: string) {
    // The page goes on without: a user may not be allowed to see the moderators.
    const { ChannelModerators } = await this.call('listChannelModerators', { ChannelArn }).catch(() => ({}))
    const { Channel } = await this.call('describeChannel', { ChannelArn })
    const { contents } = await this.page(ChannelArn)
    const { ChannelFlowArn } = Channel
    const flow = ChannelFlowArn && (await this.#sdk.call('describeChannelFlow', { ChannelFlowArn })).ChannelFlow.Name
    const { ChannelMemberships } = await this.call('listChannelMemberships', { ChannelArn })
    const members = new Map<string, string>(ChannelMemberships.map(({ Member }: Answer) => [Member.Arn, Member.Name]))
    await this.sayPresence(ChannelArn, 'Auto|Online').catch(() => {})
    return {
      moderates: Boolean(ChannelModerators?.some(({ Moderator }: Answer) => Moderator.Arn === this.arn)),
      channel: Channel,
      contents,
      flow,
      members: [...members.values()].sort(),
    }
  }

  /** All messages, the oldest first, by scrolling up to the beginning. */
  async scrollToTop(ChannelArn: string): Promise<string[]> {
    const pages: string[][] = []
    let token: string | null = null
    do {
      const { contents, NextToken } = await this.page(ChannelArn, token)
      pages.unshift(contents)
      token = NextToken
    } while (token)
    return pages.flat()
  }

  /** A page of messages, the oldest first, and where the messages before them begin. */
  async page(ChannelArn: string, NextToken: string | null = null): Promise<{ contents: string[]; NextToken: string }> {
    const answer = await this.call('listChannelMessages', { ChannelArn, NextToken })
    for (const message of answer.ChannelMessages) requireShowable(message, this.#sdk)
    const inOrder = answer.ChannelMessages.toSorted((a: Answer, b: Answer) => a.CreatedTimestamp - b.CreatedTimestamp)
    return { contents: inOrder.map(({ Content }: Answer) => Content), NextToken: answer.NextToken }
  }

  async say(ChannelArn: string, Content: string, input: object = {}): Promise<{ MessageId: string; status?: string }> {
    const message = { ChannelArn, Content, Persistence: 'PERSISTENT', Type: 'STANDARD', ...input }
    const { MessageId, Status } = await this.call('sendChannelMessage', message)
    return { MessageId, status: Status?.Value }
  }

  typing(ChannelArn: string) {
    return this.say(ChannelArn, '{"Typing":"Indicator"}', { Persistence: 'NON_PERSISTENT', Type: 'CONTROL' })
  }

  sayPresence(ChannelArn: string, status: string) {
    return this.say(ChannelArn, `P|${status}`, { Persistence: 'NON_PERSISTENT', Type: 'CONTROL' })
  }

  async edit(ChannelArn: string, MessageId: string, Content: string): Promise<void> {
    await this.call('updateChannelMessage', { ChannelArn, MessageId, Content, Metadata: null })
  }

  async redact(ChannelArn: string, MessageId: string): Promise<void> {
    await this.call('redactChannelMessage', { ChannelArn, MessageId })
  }

  async add(ChannelArn: string, MemberArn: string): Promise<string> {
    const { Member } = await this.call('createChannelMembership', { ChannelArn, MemberArn, Type: 'DEFAULT' })
    return Member.Name
  }

  async remove(ChannelArn: string, MemberArn: string): Promise<void> {
    await this.call('deleteChannelMembership', { ChannelArn, MemberArn })
  }

  /** Who is banned. */
  async openBans(ChannelArn: string): Promise<string[]> {
    const { ChannelBans } = await this.call('listChannelBans', { ChannelArn, MaxResults: 50, NextToken: null })
    return ChannelBans.map(({ Member }: Answer) => Member.Arn)
  }

  /** Opens the menu of flows and chooses the first. */
  async attachFlow(ChannelArn: string): Promise<string> {
    const AppInstanceArn = this.#appInstanceArn
    const { ChannelFlows } = await this.#sdk.call('listChannelFlows', { AppInstanceArn, NextToken: undefined })
    const [{ ChannelFlowArn }] = ChannelFlows
    await this.call('associateChannelFlow', { ChannelArn, ChannelFlowArn })
    return ChannelFlowArn
  }
}
