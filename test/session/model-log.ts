import type { Envelope } from '../../src/bus/bus.ts'
import type { ChannelLog, LogPage } from '../../src/session/channel-log.ts'
import type { Gap } from '../../src/session/channel-order.ts'

interface ModelChannel {
  envelopes: (Envelope & { seq: number })[]
  /** With the number of the join. */
  members: Map<string, number>
}

const pageMax = 3

/** The smallest store that keeps a channel log as the hub may expect it, with small pages. It can be away for a while. */
export class ModelLog implements ChannelLog {
  readonly #channels = new Map<string, ModelChannel>()
  /** Every call waits for it first: a store that is slow, or away. */
  before: () => Promise<void> = async () => {}
  /** And for this with its answer in hand: one that is old when it arrives. */
  after: () => Promise<void> = async () => {}
  reads = 0

  /** Members from the beginning. */
  open(channelArn: string, members: readonly string[] = []): void {
    this.#channels.set(channelArn, { envelopes: [], members: new Map(members.map((userArn) => [userArn, 0])) })
  }

  membersOf(channelArn: string): string[] {
    return [...(this.#channels.get(channelArn)?.members.keys() ?? [])]
  }

  /** What one durable commit brings: the envelope with its number. */
  commit(channelArn: string, frame: string, more: Partial<Envelope> = {}): Envelope & { seq: number } {
    const channel = this.#channels.get(channelArn)
    if (!channel) throw new Error(`there is no channel ${channelArn}`)
    const seq = channel.envelopes.length + 1
    const envelope = { channelArn, audience: { to: 'members' as const }, frame, ...more, seq }
    channel.envelopes.push(envelope)
    for (const userArn of envelope.joins ?? []) channel.members.set(userArn, seq)
    if (envelope.leaves !== undefined) channel.members.delete(envelope.leaves)
    if (envelope.closes) this.#channels.delete(channelArn)
    return envelope
  }

  /** As if these numbers had never been written. */
  lose(channelArn: string, ...numbers: number[]): void {
    const channel = this.#channels.get(channelArn)
    for (const seq of numbers) delete channel?.envelopes[seq - 1]
  }

  memberships(userArns: readonly string[]): Promise<{ userArn: string; channelArn: string }[]> {
    return this.#answer(() =>
      [...this.#channels].flatMap(([channelArn, { members }]) =>
        userArns.filter((userArn) => members.has(userArn)).map((userArn) => ({ userArn, channelArn })),
      ),
    )
  }

  latest(channelArns: readonly string[]): Promise<Map<string, number>> {
    return this.#answer(() => {
      const channels = channelArns.map((channelArn) => [channelArn, this.#channels.get(channelArn)] as const)
      return new Map(channels.flatMap(([arn, channel]) => (channel ? [[arn, channel.envelopes.length] as const] : [])))
    })
  }

  joinedAt(userArn: string, channelArn: string): Promise<number | undefined> {
    return this.#answer(() => this.#channels.get(channelArn)?.members.get(userArn))
  }

  read(channelArn: string, { after, through }: Gap): Promise<LogPage | undefined> {
    return this.#answer(() => {
      this.reads += 1
      const channel = this.#channels.get(channelArn)
      if (!channel || channel.envelopes.length < (through ?? after)) return undefined
      const last = through ?? channel.envelopes.length
      const envelopes = channel.envelopes.filter(({ seq }) => seq > after && seq <= last).slice(0, pageMax)
      const more = envelopes.length === pageMax
      return { envelopes, through: more ? envelopes.at(-1)!.seq : last, more }
    })
  }

  endOf(channelArn: string): Envelope {
    return { channelArn, seq: undefined, audience: { to: 'members' }, closes: true, frame: `${channelArn} is gone` }
  }

  async #answer<T>(look: () => T): Promise<T> {
    await this.before()
    const answer = look()
    await this.after()
    return answer
  }
}
