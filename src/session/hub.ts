import type { Bus, Envelope, Subscription } from '../bus/bus.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { ChannelLog, LogPage } from './channel-log.ts'
import { ChannelOrder, type Gap } from './channel-order.ts'
import { GapReader } from './gap-reader.ts'
import { OneAtATime } from './one-at-a-time.ts'
import { textFrame } from './text-frame.ts'

/** The hub's view of a session. */
export interface Subscriber {
  readonly userArn: string
  /** `frame` is a whole WebSocket frame. All its recipients share the bytes. Must not throw. */
  deliver(frame: Buffer): void
}

/** A user with at least one session here. */
interface User<S> {
  userArn: string
  /** Oldest first. This and `channels` are replaced, not changed: `concat` leaves no spare room. Sets took 600 bytes. */
  sessions: readonly S[]
  channels: readonly Channel<S>[]
  /** Resolves when the subscription to the user's joins is active. */
  interest: Promise<void> | undefined
  /** Set while the memberships are being read for the first time. */
  entering: Promise<void> | undefined
  /** Whether the memberships were read: a further membership that is found later is a join that was lost. */
  known: boolean
}

/** A channel with at least one member here. */
interface Channel<S> {
  channelArn: string
  order: ChannelOrder
  members: Set<User<S>>
  /** Per user the number up to which it has received the events, or was no member. Empty except after a late join. */
  ahead: Map<User<S>, number>
  /** Resolves when the subscription to the channel is active. */
  interest: Promise<void> | undefined
}

interface HubParts {
  bus: Bus
  channelLog: ChannelLog
  clock: Clock
  log: Log
}

/**
 * Delivers the events of the bus to their sessions: the numbered events of a channel in the order of its log, each once.
 * Events that the bus has lost are read from the log. Channels are kept by user, not by session: a join costs the same
 * however many sessions the user has.
 */
export class Hub<S extends Subscriber> {
  readonly #channelLog: ChannelLog
  readonly #log: Log
  readonly #subscription: Subscription
  readonly #gaps: GapReader<Channel<S>>
  readonly #catchUp: OneAtATime
  readonly #users = new Map<string, User<S>>()
  readonly #channels = new Map<string, Channel<S>>()

  constructor({ bus, channelLog, clock, log }: HubParts) {
    this.#channelLog = channelLog
    this.#log = log
    this.#gaps = new GapReader({ channelLog, clock, log, fill: (...read) => this.#fill(...read) })
    this.#catchUp = new OneAtATime({ clock, log, work: () => this.#findLost() })
    this.#subscription = bus.listen({
      deliver: (envelopes) => {
        for (const envelope of envelopes) this.#receive(envelope)
      },
      joined: (userArn, channelArn, seq) => this.#receiveJoin(userArn, channelArn, seq),
      reached: (channelArn, seq) => this.#receivePosition(channelArn, seq),
      catchUp: () => this.#catchUp.ask(),
    })
  }

  /** For tests and gauges. Both are zero if no session is left. */
  get size(): { users: number; channels: number } {
    return { users: this.#users.size, channels: this.#channels.size }
  }

  /** The number of events, of all channels here, that are known and not delivered yet. */
  get lag(): number {
    return this.#channels.values().reduce((sum, { order }) => sum + order.lag, 0)
  }

  /** The user's sessions, oldest first. */
  sessionsOf(userArn: string): readonly S[] {
    return this.#users.get(userArn)?.sessions ?? []
  }

  /**
   * Once this resolves, the session misses no committed event. It may receive some events before. Rejects if the
   * memberships cannot be read. In any case the session stays until it is removed.
   */
  async register(session: S): Promise<void> {
    const user = this.#user(session.userArn)
    user.sessions = user.sessions.concat(session)
    if (user.known) {
      await this.#findLostJoins([user.userArn])
      return
    }
    user.entering ??= this.#enterAll(user).finally(() => {
      user.entering = undefined
    })
    await user.entering
  }

  remove(session: S): void {
    const user = this.#users.get(session.userArn)
    if (!user) return
    user.sessions = without(user.sessions, session)
    if (user.sessions.length > 0) return
    this.#users.delete(user.userArn)
    this.#subscription.removeUser(user.userArn)
    for (const channel of user.channels) this.#leave(user, channel)
  }

  /** Reads events from the log that the bus may have lost. The hub also does so whenever the bus was away. */
  catchUp(): void {
    this.#catchUp.ask()
  }

  /** Ends the subscription. The sessions stay. */
  close(): void {
    this.#subscription.close()
    this.#gaps.close()
    this.#catchUp.close()
  }

  #user(userArn: string): User<S> {
    const here = this.#users.get(userArn)
    if (here) return here
    const interest = this.#subscription.addUser(userArn)
    const user: User<S> = {
      userArn,
      sessions: [],
      channels: [],
      interest,
      entering: undefined,
      known: false,
    }
    this.#users.set(userArn, user)
    return user
  }

  /** The channel has no position in its log yet. The caller sets one, and adds a member. */
  #addChannel(channelArn: string): Channel<S> {
    const interest = this.#subscription.addChannel(channelArn)
    const channel = { channelArn, order: new ChannelOrder(), members: new Set<User<S>>(), ahead: new Map(), interest }
    this.#channels.set(channelArn, channel)
    // If the position was set before the subscription was active, some later events may be only in the log.
    void interest?.then(() => {
      if (!this.#isHere(channel) || channel.order.position === undefined) return
      channel.order.markUncertain()
      this.#gaps.now(channel)
    })
    return channel
  }

  /**
   * First the subscription, then the read: a join that the read does not see is published after it, and is received. In
   * the other order, a join in between would be lost. The same for each channel and the position of its log.
   */
  async #enterAll(user: User<S>): Promise<void> {
    if (user.interest) await user.interest
    const memberships = await this.#channelLog.memberships([user.userArn])
    // A user who has left meanwhile must not leave channels behind.
    if (!this.#isPresent(user)) return
    const channels = memberships.map(({ channelArn }) => this.#channels.get(channelArn) ?? this.#addChannel(channelArn))
    this.#enter(user, channels)
    await Promise.all(channels.map(({ interest }) => interest))
    const latest = await this.#channelLog.latest(channels.map(({ channelArn }) => channelArn))
    if (!this.#isPresent(user)) return
    user.known = true
    for (const channel of channels) if (this.#isHere(channel)) this.#startAfter(latest, user, channel)
  }

  /** The user receives events after the present position of the log, even if this hub has not reached it yet. */
  #startAfter(latest: Map<string, number>, user: User<S>, channel: Channel<S>): void {
    const seq = latest.get(channel.channelArn)
    if (seq === undefined) {
      this.#end(channel)
      return
    }
    if (channel.order.position !== undefined && channel.order.position < seq) channel.ahead.set(user, seq)
    channel.order.startAt(seq)
    this.#advance(channel)
  }

  #enter(user: User<S>, channels: readonly Channel<S>[]): void {
    const entered = channels.filter(({ members }) => !members.has(user))
    for (const { members } of entered) members.add(user)
    user.channels = user.channels.concat(entered)
  }

  #leave(user: User<S>, channel: Channel<S>): void {
    channel.ahead.delete(user)
    if (channel.members.delete(user) && channel.members.size === 0) this.#drop(channel)
  }

  #drop(channel: Channel<S>): void {
    for (const user of channel.members) user.channels = without(user.channels, channel)
    this.#channels.delete(channel.channelArn)
    this.#gaps.forget(channel)
    this.#subscription.removeChannel(channel.channelArn)
  }

  #isPresent(user: User<S>): boolean {
    return this.#users.get(user.userArn) === user
  }

  #isHere(channel: Channel<S>): boolean {
    return this.#channels.get(channel.channelArn) === channel
  }

  #receive(envelope: Envelope): void {
    const { channelArn, seq } = envelope
    if (seq === undefined) {
      this.#deliver(envelope, this.#channels.get(channelArn))
      return
    }
    for (const userArn of envelope.joins ?? []) {
      const joining = this.#users.get(userArn)
      if (joining) this.#joinAt(joining, channelArn, seq)
    }
    const channel = this.#channels.get(channelArn)
    if (!channel) return
    if (channel.order.accept(seq, envelope)) this.#deliver(envelope, channel)
    if (channel.order.hasGap) this.#advance(channel)
  }

  #receiveJoin(userArn: string, channelArn: string, seq: number): void {
    const user = this.#users.get(userArn)
    if (user) this.#advance(this.#joinAt(user, channelArn, seq))
  }

  #receivePosition(channelArn: string, seq: number): void {
    const channel = this.#channels.get(channelArn)
    if (!channel) return
    channel.order.reach(seq)
    this.#advance(channel)
  }

  /**
   * The user is a member from this number on. If the channel's order is further already, it goes back, and the users
   * who have received the later events do not receive them again.
   */
  #joinAt(user: User<S>, channelArn: string, seq: number): Channel<S> {
    const channel = this.#channels.get(channelArn) ?? this.#addChannel(channelArn)
    if (channel.members.has(user)) return channel
    const { position } = channel.order
    if (position === undefined) channel.order.startAt(seq - 1)
    else if (position < seq - 1) channel.ahead.set(user, seq - 1)
    else if (position >= seq) {
      for (const member of channel.members) {
        channel.ahead.set(member, Math.max(position, channel.ahead.get(member) ?? 0))
      }
      channel.order.rewind(seq - 1)
    }
    channel.order.reach(seq)
    this.#enter(user, [channel])
    return channel
  }

  /** Delivers the events that are next in order. A remaining gap is read from the log, unless the bus fills it soon. */
  #advance(channel: Channel<S>): void {
    while (this.#isHere(channel)) {
      const envelope = channel.order.next()
      if (!envelope) break
      this.#deliver(envelope, channel)
    }
    if (this.#isHere(channel) && channel.order.hasGap) this.#gaps.soon(channel)
  }

  #fill(channel: Channel<S>, gap: Gap, page: LogPage | undefined): void {
    const { order } = channel
    if (!page) {
      this.#end(channel)
      return
    }
    const goneBack = order.position === undefined || order.position < gap.after
    if (gap.through === undefined && (page.more || goneBack)) order.markUncertain()
    if (goneBack) return
    for (const envelope of page.envelopes) {
      if (!this.#isHere(channel)) return
      if (envelope.seq !== undefined) this.#skipTo(channel, envelope.seq - 1, envelope.closes)
      this.#receive(envelope)
      // Its members may have joined the channel that was created again under this ARN: that was missed as well.
      if (envelope.closes) this.#catchUp.ask()
    }
    if (!this.#isHere(channel)) return
    this.#skipTo(channel, page.through)
    this.#advance(channel)
  }

  /** A number that is missing in the log itself will never come: skip it rather than stop. */
  #skipTo(channel: Channel<S>, position: number, isDeletion = false): void {
    const { channelArn, order } = channel
    if (order.position === undefined || position <= order.position) return
    // The log of a deleted channel has only its last event.
    if (!isDeletion) this.#log.warn({ channelArn, after: order.position, through: position }, 'gap in a channel log')
    order.skipTo(position)
  }

  /** The channel and its log are deleted: deliver the early events, then the end. */
  #end(channel: Channel<S>): void {
    for (const envelope of channel.order.drain()) if (this.#isHere(channel)) this.#deliver(envelope, channel)
    if (this.#isHere(channel)) this.#deliver(this.#channelLog.endOf(channel.channelArn), channel)
  }

  async #findLost(): Promise<void> {
    await this.#findLostEvents()
    await this.#findLostJoins([...this.#users.values()].filter(({ known }) => known).map(({ userArn }) => userArn))
  }

  async #findLostEvents(): Promise<void> {
    const followed = [...this.#channels.values()].flatMap((channel) => {
      const { position } = channel.order
      return position === undefined ? [] : [{ channel, position }]
    })
    const latest = await this.#channelLog.latest(followed.map(({ channel }) => channel.channelArn))
    for (const { channel, position } of followed) {
      if (!this.#isHere(channel)) continue
      const seq = latest.get(channel.channelArn)
      // A log that ends before the delivered position belongs to another channel with the same ARN.
      if (seq === undefined || seq < position) this.#end(channel)
      else this.#receivePosition(channel.channelArn, seq)
    }
  }

  async #findLostJoins(userArns: readonly string[]): Promise<void> {
    for (const { userArn, channelArn } of await this.#channelLog.memberships(userArns)) {
      if (!this.#isLost(userArn, channelArn)) continue
      const seq = await this.#channelLog.joinedAt(userArn, channelArn)
      const user = this.#users.get(userArn)
      if (seq === undefined || !user || !this.#isLost(userArn, channelArn)) continue
      const channel = this.#joinAt(user, channelArn, seq)
      // Later events of a channel that was not known here were missed as well.
      channel.order.markUncertain()
      this.#advance(channel)
    }
  }

  /** Whether the user's join was lost. A user whose memberships are being read has lost none. */
  #isLost(userArn: string, channelArn: string): boolean {
    const user = this.#users.get(userArn)
    return user?.known === true && this.#channels.get(channelArn)?.members.has(user) !== true
  }

  #deliver({ seq, audience, leaves, closes, frame }: Envelope, channel: Channel<S> | undefined): void {
    const late = seq !== undefined && channel !== undefined && channel.ahead.size > 0
    let bytes: Buffer | undefined
    for (const user of this.#audience(seq, audience, channel)) {
      if (late && !this.#isDue(user, seq, channel)) continue
      bytes ??= textFrame(frame)
      for (const session of user.sessions) session.deliver(bytes)
    }
    if (!channel) return
    const leaving = leaves === undefined ? undefined : this.#users.get(leaves)
    if (leaving) {
      leaving.channels = without(leaving.channels, channel)
      this.#leave(leaving, channel)
    }
    if (closes) this.#drop(channel)
  }

  #isDue(user: User<S>, seq: number, { ahead }: Channel<S>): boolean {
    const through = ahead.get(user)
    if (through === undefined) return true
    if (seq <= through) return false
    ahead.delete(user)
    return true
  }

  /**
   * A numbered event is for members only, whatever users it names. A named user who is not known as a member here has just
   * joined on another node, and receives the event in its order when the join arrives.
   */
  #audience(
    seq: number | undefined,
    audience: Envelope['audience'],
    channel: Channel<S> | undefined,
  ): Iterable<User<S>> {
    const members = channel?.members
    if (audience.to === 'users') {
      const users = new Set<User<S>>()
      for (const userArn of audience.users) {
        const user = this.#users.get(userArn)
        if (user && (seq === undefined || members?.has(user))) users.add(user)
      }
      return users
    }
    return members ?? []
  }
}

const without = <T>(items: readonly T[], item: T): T[] => items.filter((other) => other !== item)
