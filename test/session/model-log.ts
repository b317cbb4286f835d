import type { ChannelRef, Envelope } from '../../src/bus/bus.ts'
import type { ChannelLog, LatestNumber, LogPage, MembershipPage } from '../../src/session/channel-log.ts'
import type { Gap } from '../../src/session/channel-order.ts'

interface ModelChannel extends ChannelRef {
  envelopes: (Envelope & { seq: number })[]
  /** With the number of the join. */
  members: Map<string, number>
  isDeleted: boolean
}

const eventsMax = 3
const membershipsMax = 2

/** The smallest store that keeps a channel log as the hub may expect it, with small pages. It can be away for a while. */
export class ModelLog implements ChannelLog {
  readonly #channels = new Map<number, ModelChannel>()
  /** By ARN, the one that is not deleted, or that was the last. */
  readonly #latest = new Map<string, ModelChannel>()
  /** Every call waits for it first: a store that is slow, or away. */
  before: () => Promise<void> = async () => {}
  /** And for this with its answer in hand: one that is old when it arrives. */
  after: () => Promise<void> = async () => {}
  reads = 0

  /** Members from the beginning. A channel that had this ARN before must be deleted; its numbers go on. */
  open(channelArn: string, members: readonly string[] = []): ChannelRef {
    const former = this.#latest.get(channelArn)
    const channelId = this.#channels.size + 1
    const first = former?.envelopes.length ?? 0
    const channel: ModelChannel = {
      channelId,
      channelArn,
      envelopes: [],
      members: new Map(members.map((userArn) => [userArn, first])),
      isDeleted: false,
    }
    // As many holes as the numbers of those before it.
    channel.envelopes.length = first
    this.#channels.set(channelId, channel)
    this.#latest.set(channelArn, channel)
    return { channelId, channelArn }
  }

  /** The channel that has this ARN now. */
  ref(channelArn: string): ChannelRef {
    const { channelId } = this.#channel(channelArn)
    return { channelId, channelArn }
  }

  membersOf(channelArn: string): string[] {
    return [...this.#channel(channelArn).members.keys()]
  }

  /** What one durable commit brings: the envelope with its number. */
  commit(channelArn: string, frame: string, more: Partial<Envelope> = {}): Envelope & { seq: number } {
    const channel = this.#channel(channelArn)
    if (channel.isDeleted) throw new Error(`the channel ${channelArn} is deleted`)
    const seq = channel.envelopes.length + 1
    const ref = { channelId: channel.channelId, channelArn }
    const envelope = { ...ref, audience: { to: 'members' as const }, frame, ...more, seq }
    channel.envelopes.push(envelope)
    for (const userArn of envelope.joins ?? []) channel.members.set(userArn, seq)
    if (envelope.leaves !== undefined) channel.members.delete(envelope.leaves)
    if (envelope.closes) {
      channel.isDeleted = true
      channel.members.clear()
    }
    return envelope
  }

  /** As if these numbers had never been written, or were purged. */
  lose(channelArn: string, ...numbers: number[]): void {
    for (const seq of numbers) delete this.#channel(channelArn).envelopes[seq - 1]
  }

  /** Users that are created again have the number that a test gives them here. Others have 1; undefined is deleted. */
  readonly users = new Map<string, number | undefined>()

  usersOf(userArns: readonly string[]): Promise<Map<string, number>> {
    return this.#answer(() => {
      const numbers = userArns.map(
        (userArn) => [userArn, this.users.has(userArn) ? this.users.get(userArn) : 1] as const,
      )
      return new Map(numbers.flatMap(([userArn, userId]) => (userId === undefined ? [] : [[userArn, userId] as const])))
    })
  }

  memberships(userArn: string, afterChannelId: number, through?: number): Promise<MembershipPage> {
    return this.#answer(() => {
      const all = [...this.#channels.values()].flatMap(({ channelId, channelArn, members, envelopes }) => {
        const joinedSeq = members.get(userArn)
        const isAsked = channelId > afterChannelId && channelId <= (through ?? Number.POSITIVE_INFINITY)
        if (joinedSeq === undefined || !isAsked) return []
        return [{ channelId, channelArn, joinedSeq, latest: envelopes.length }]
      })
      if (through !== undefined) return { memberships: all, more: false }
      return { memberships: all.slice(0, membershipsMax), more: all.length > membershipsMax }
    })
  }

  latest(channelIds: readonly number[]): Promise<Map<number, LatestNumber>> {
    return this.#answer(() => {
      const channels = channelIds.map((channelId) => this.#channels.get(channelId))
      return new Map(
        channels
          .filter((channel) => channel !== undefined)
          .map(({ channelId, envelopes, isDeleted }) => [channelId, { seq: envelopes.length, isDeleted }]),
      )
    })
  }

  read({ channelId }: ChannelRef, { after, through }: Gap): Promise<LogPage | undefined> {
    return this.#answer(() => {
      this.reads += 1
      const channel = this.#channels.get(channelId)
      if (!channel || channel.envelopes.length < after) return undefined
      const last = Math.min(through ?? channel.envelopes.length, channel.envelopes.length)
      const envelopes = channel.envelopes.filter(({ seq }) => seq > after && seq <= last).slice(0, eventsMax)
      const more = envelopes.length === eventsMax && envelopes.at(-1)!.seq < last
      const end = more ? envelopes.at(-1)!.seq : last
      return { envelopes, through: end, more, isEnd: channel.isDeleted && end === channel.envelopes.length }
    })
  }

  /** As if its AppInstance were gone, with all that was in it. */
  forget(channelArn: string): void {
    this.#channels.delete(this.#channel(channelArn).channelId)
  }

  endOf(channel: ChannelRef): Envelope {
    const frame = `${channel.channelArn} is gone`
    return { ...pick(channel), seq: undefined, audience: { to: 'members' }, closes: true, frame }
  }

  leaveOf(channel: ChannelRef, userArn: string): Envelope {
    const audience = { to: 'users' as const, users: [userArn] }
    return { ...pick(channel), seq: undefined, audience, frame: `${userArn} has left ${channel.channelArn}` }
  }

  #channel(channelArn: string): ModelChannel {
    const channel = this.#latest.get(channelArn)
    if (!channel) throw new Error(`there is no channel ${channelArn}`)
    return channel
  }

  async #answer<T>(look: () => T): Promise<T> {
    await this.before()
    const answer = look()
    await this.after()
    return answer
  }
}

const pick = ({ channelId, channelArn }: ChannelRef): ChannelRef => ({ channelId, channelArn })
