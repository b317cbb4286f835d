import { strict as assert } from 'node:assert'
import { setImmediate } from 'node:timers/promises'
import type { ChannelRef, Subscription } from '../bus/bus.ts'
import { ChannelOrder } from './channel-order.ts'

/** The hub's view of a session. */
export interface Subscriber {
  readonly userArn: string
  /** The number of the user, which distinguishes the incarnations of its ARN. */
  readonly userId: number
  /** The user is deleted: ends the session. Must not throw. */
  userDeleted(): void
  /** `frame` is a whole WebSocket frame. All its recipients share the bytes. Must not throw. */
  deliver(frame: Buffer): void
}

/** A user with at least one session here. */
export interface User<S> {
  readonly userArn: string
  /**
   * Oldest first. This and `channels` are replaced, not changed: `concat` leaves no spare room. Sets took 600 bytes.
   */
  sessions: readonly S[]
  channels: readonly Channel<S>[]
  /** Resolves when the subscription to the user's joins is active. */
  readonly interest: Promise<void> | undefined
  /** Set while the memberships are being read for the first time. */
  entering: Promise<void> | undefined
  /** Whether the memberships were read: a further membership that is found later is a join that was lost. */
  isKnown: boolean
  /** Whether events may have been lost since the read began. */
  mayHaveMissed: boolean
  /**
   * By a channel's ARN, the channel that the user left, and the number of the leave. Joins up to that number are
   * outdated.
   */
  left: Map<string, { channelId: number; seq: number }> | undefined
}

/** A channel with at least one member here. */
export interface Channel<S> extends ChannelRef {
  readonly order: ChannelOrder
  /** The members, each with the number of its join. */
  readonly members: Map<User<S>, number>
  /** Members that receive only events after a number of their own. Empty except after a late join. */
  readonly ahead: Map<User<S>, number>
  /** Members with a later join, whose leave before that has not been delivered yet. */
  rejoins: Map<User<S>, number> | undefined
  /** Members without a membership: they leave at the latest with this number. */
  suspects: Map<User<S>, Suspect> | undefined
  /** Resolves when the subscription to the channel is active. */
  readonly interest: Promise<void> | undefined
  /** The former channel with this ARN, until its end has been delivered here. This channel waits for that. */
  older: Channel<S> | undefined
}

/** The membership that is missing in the store, and the latest number of the log at that time. */
interface Suspect {
  joinedSeq: number
  through: number
}

/** Maximum of leaves of one user in memory. A forgotten leave may let the user receive an event twice. */
const leftMax = 1_000

/** Channels that one user without sessions leaves in one turn of the event loop: about 1 ms, or 5 with NATS. */
const channelsMax = 1_000

interface MembersParts<S> {
  subscription: Pick<Subscription, 'addChannel' | 'removeChannel' | 'addUser' | 'removeUser'>
  /** The channel was added. Its order has not started yet. */
  opened(channel: Channel<S>): void
  /** The channel was removed. The next channel with its ARN, if there is one, has waited for that. */
  dropped(channel: Channel<S>, next: Channel<S> | undefined): void
}

/**
 * The users with sessions here, and the channels of which they are members. Channels are kept by user, not by session:
 * a join costs the same however many sessions the user has.
 *
 *              first session            memberships read
 *     absent ────────────────► entering ────────────────► known ◄──┐ a further session: memberships are
 *       ▲                         │                         │ └────┘ compared with the store
 *       └───────────── the last session is removed ─────────┘
 *
 *                a join, or a member enters
 *     not here ─────────────────────────────► here, with members
 *       ▲                                        │
 *       └─ the last member leaves, or deletion ──┘
 *
 * A membership is identified by the number of its join. A join or a leave whose number is not higher is outdated.
 */
export class HubMembers<S extends Subscriber> {
  readonly #parts: MembersParts<S>
  readonly #users = new Map<string, User<S>>()
  /** By ARN, the newest channel of each. */
  readonly #channels = new Map<string, Channel<S>>()

  constructor(parts: MembersParts<S>) {
    this.#parts = parts
  }

  get size(): { users: number; channels: number } {
    return { users: this.#users.size, channels: this.#channels.size }
  }

  get users(): Iterable<User<S>> {
    return this.#users.values()
  }

  *channels(): Generator<Channel<S>> {
    for (const newest of this.#channels.values()) {
      for (let channel: Channel<S> | undefined = newest; channel; channel = channel.older) yield channel
    }
  }

  user(userArn: string): User<S> | undefined {
    return this.#users.get(userArn)
  }

  isPresent(user: User<S>): boolean {
    return this.#users.get(user.userArn) === user
  }

  addSession(session: S): User<S> {
    const user = this.#users.get(session.userArn) ?? this.#addUser(session.userArn)
    user.sessions = user.sessions.concat(session)
    return user
  }

  removeSession(session: S): void {
    const user = this.#users.get(session.userArn)
    if (!user) return
    user.sessions = without(user.sessions, session)
    if (user.sessions.length > 0) return
    this.#users.delete(user.userArn)
    this.#parts.subscription.removeUser(user.userArn)
    void this.#takeOutOfAll(user)
  }

  channel({ channelArn, channelId }: ChannelRef): Channel<S> | undefined {
    let channel = this.#channels.get(channelArn)
    while (channel && channel.channelId !== channelId) channel = channel.older
    return channel
  }

  isHere(channel: Channel<S>): boolean {
    return this.channel(channel) === channel
  }

  /** Adds the channel. The caller starts its order, and adds a member. */
  add({ channelId, channelArn }: ChannelRef): Channel<S> {
    const channel: Channel<S> = {
      channelId,
      channelArn,
      order: new ChannelOrder(),
      members: new Map(),
      ahead: new Map(),
      rejoins: undefined,
      suspects: undefined,
      interest: this.#parts.subscription.addChannel(channelId),
      older: undefined,
    }
    assert(!this.channel(channel), 'the channel is here already')
    this.#chain(channel)
    this.#parts.opened(channel)
    return channel
  }

  /** The channel is deleted: all memberships end. */
  drop(channel: Channel<S>): void {
    for (const user of channel.members.keys()) {
      remember(user, channel, Number.POSITIVE_INFINITY)
      user.channels = without(user.channels, channel)
    }
    channel.members.clear()
    const next = this.#unchain(channel)
    this.#parts.subscription.removeChannel(channel.channelId)
    this.#parts.dropped(channel, next)
  }

  /** Makes the user a member of each channel since this number, unless it is one already. */
  enter(user: User<S>, joins: readonly { channel: Channel<S>; joinedSeq: number }[]): void {
    const entered = joins.filter(({ channel }) => !channel.members.has(user))
    for (const { channel, joinedSeq } of entered) channel.members.set(user, joinedSeq)
    user.channels = user.channels.concat(entered.map(({ channel }) => channel))
  }

  /**
   * Whether the user has left with this number or a later one, or is a member of a channel that was created later with
   * the same ARN.
   */
  hasLeft(user: User<S>, ref: ChannelRef, seq: number): boolean {
    const left = user.left?.get(ref.channelArn)
    if (left && (left.channelId > ref.channelId || (left.channelId === ref.channelId && left.seq >= seq))) return true
    const newer = this.#newerThan(ref)
    return newer?.members.has(user) ?? false
  }

  /** The user is no longer a member, and was one until this number. */
  leave(user: User<S>, channel: Channel<S>, seq: number): void {
    assert(channel.members.has(user), 'only a member leaves')
    remember(user, channel, seq)
    user.channels = without(user.channels, channel)
    this.#takeOut(user, channel)
  }

  #addUser(userArn: string): User<S> {
    const user: User<S> = {
      userArn,
      sessions: [],
      channels: [],
      interest: this.#parts.subscription.addUser(userArn),
      entering: undefined,
      isKnown: false,
      mayHaveMissed: false,
      left: undefined,
    }
    this.#users.set(userArn, user)
    return user
  }

  /** The event loop is free in between: until it is out of a channel, the user is a member there without a session. */
  async #takeOutOfAll(user: User<S>): Promise<void> {
    const { channels } = user
    for (let start = 0; start < channels.length; start += channelsMax) {
      if (start > 0) await setImmediate()
      for (const channel of channels.slice(start, start + channelsMax)) this.#takeOut(user, channel)
    }
  }

  #takeOut(user: User<S>, channel: Channel<S>): void {
    channel.ahead.delete(user)
    channel.rejoins?.delete(user)
    channel.suspects?.delete(user)
    if (channel.members.delete(user) && channel.members.size === 0) this.drop(channel)
  }

  /** Inserts the channel into the list of its ARN's channels, the newest first. All but the newest have ended. */
  #chain(channel: Channel<S>): void {
    const newer = this.#newerThan(channel)
    channel.older = newer ? newer.older : this.#channels.get(channel.channelArn)
    if (newer) holdBehind(newer, channel)
    else this.#channels.set(channel.channelArn, channel)
    if (channel.older) holdBehind(channel, channel.older)
  }

  /** Returns the channel that waited for this one, if it need not wait any more. */
  #unchain(channel: Channel<S>): Channel<S> | undefined {
    const newer = this.#newerThan(channel)
    if (newer) newer.older = channel.older
    else if (channel.older) this.#channels.set(channel.channelArn, channel.older)
    else this.#channels.delete(channel.channelArn)
    if (!newer || newer.older) return undefined
    newer.order.resume()
    return newer
  }

  #newerThan({ channelId, channelArn }: ChannelRef): Channel<S> | undefined {
    let newer: Channel<S> | undefined
    let channel = this.#channels.get(channelArn)
    while (channel && channel.channelId > channelId) [newer, channel] = [channel, channel.older]
    return newer
  }
}

/** The user has left with this number. */
function remember(user: User<unknown>, { channelId, channelArn }: ChannelRef, seq: number): void {
  user.left ??= new Map()
  const before = user.left.get(channelArn)
  if (before && before.channelId > channelId) return
  user.left.delete(channelArn)
  user.left.set(channelArn, { channelId, seq })
  if (user.left.size > leftMax) user.left.delete(user.left.keys().next().value as string)
}

/**
 * The end of the older channel is in its log, and must be delivered first: clients identify a channel by its ARN only.
 */
function holdBehind<S>(newer: Channel<S>, older: Channel<S>): void {
  newer.older = older
  newer.order.pause()
  older.order.markUncertain()
}

const without = <T>(items: readonly T[], item: T): T[] => items.filter((other) => other !== item)
