import { strict as assert } from 'node:assert'
import type { ChannelRef, Subscription } from '../bus/bus.ts'
import { ChannelOrder } from './channel-order.ts'

/** What the hub asks of a session. */
export interface Subscriber {
  readonly userArn: string
  /** Which of the users that have had this ARN. */
  readonly userId: number
  /** Its user is deleted: ends the session. Must not throw. */
  userDeleted(): void
  /** One WebSocket frame, whole. The bytes are shared by all who get it. Must not throw. */
  deliver(frame: Buffer): void
}

/** A user with at least one session here. */
export interface User<S> {
  readonly userArn: string
  /** Oldest first. This and `channels` are replaced, not changed: `concat` leaves no room for more. Sets took 600 bytes. */
  sessions: readonly S[]
  channels: readonly Channel<S>[]
  /** Resolves when the news of the user's joins come here. */
  readonly interest: Promise<void> | undefined
  /** While the memberships are being read for the first time. */
  entering: Promise<void> | undefined
  /** Whether they were read: a membership that is found beyond them is a join that was lost. */
  isKnown: boolean
  /** Whether news may have been lost since the reading began. */
  hasMissedNews: boolean
  /** By a channel's ARN, which channel the user left, and with which number. Joins up to that one are old news. */
  left: Map<string, { channelId: number; seq: number }> | undefined
}

/** A channel with at least one member here. */
export interface Channel<S> extends ChannelRef {
  readonly order: ChannelOrder
  /** With the number of the event with which each joined. */
  readonly members: Map<User<S>, number>
  /** Members who hear only what comes after a number of their own. Empty but for a while after a late join. */
  readonly ahead: Map<User<S>, number>
  /** Members of whom a later join is known, whose leave before that has not been delivered yet. */
  rejoins: Map<User<S>, number> | undefined
  /** Members that have no membership any more: at the latest with this number they leave. */
  suspects: Map<User<S>, Suspect> | undefined
  /** Resolves when the channel's news come here. */
  readonly interest: Promise<void> | undefined
  /** The channel that had this ARN before, while its end has not been delivered here. This one waits for it. */
  older: Channel<S> | undefined
}

/** The membership that is missing in the store, and how far the log went at that time. */
interface Suspect {
  joinedSeq: number
  through: number
}

/** How many leaves of one user are remembered. One that is forgotten may let the user hear something twice. */
const leftMax = 1_000

interface MembersParts<S> {
  subscription: Pick<Subscription, 'addChannel' | 'removeChannel' | 'addUser' | 'removeUser'>
  /** The channel is here from now on. Its order is not placed yet. */
  opened(channel: Channel<S>): void
  /** It is not here any more. The next channel with its ARN, if there is one, has waited for that. */
  dropped(channel: Channel<S>, next: Channel<S> | undefined): void
}

/**
 * Who is where: the users with sessions here, and the channels whose members they are. A user hears all channels whose
 * member they are, so channels are kept by user: a join costs the same however many sessions the user has.
 *
 *              first session            memberships read
 *     absent ────────────────► entering ────────────────► known ◄──┐ a further session: memberships are
 *       ▲                         │                         │ └────┘ compared with the store
 *       └───────────── the last session is removed ─────────┘
 *
 *                a join, or a member enters
 *     not here ─────────────────────────────► here, with members
 *       ▲                                        │
 *       └─ the last member leaves, or it is gone ┘
 *
 * A membership is the number of its join. News of a join or a leave with a number that is not higher are old news.
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
    for (const channel of user.channels) this.#takeOut(user, channel)
  }

  channel({ channelArn, channelId }: ChannelRef): Channel<S> | undefined {
    let channel = this.#channels.get(channelArn)
    while (channel && channel.channelId !== channelId) channel = channel.older
    return channel
  }

  isHere(channel: Channel<S>): boolean {
    return this.channel(channel) === channel
  }

  /** The caller gives its order a place, and adds a member. */
  open({ channelId, channelArn }: ChannelRef): Channel<S> {
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

  /** It is gone: nobody is a member any more. */
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

  /** Makes the user a member since this number of each channel, but where it is one already. */
  enter(user: User<S>, joins: readonly { channel: Channel<S>; joinedSeq: number }[]): void {
    const entered = joins.filter(({ channel }) => !channel.members.has(user))
    for (const { channel, joinedSeq } of entered) channel.members.set(user, joinedSeq)
    user.channels = user.channels.concat(entered.map(({ channel }) => channel))
  }

  /**
   * Whether the user has left with this number or a later one, or is a member of a channel that was created later with the
   * same ARN.
   */
  hasLeft(user: User<S>, ref: ChannelRef, seq: number): boolean {
    const left = user.left?.get(ref.channelArn)
    if (left && (left.channelId > ref.channelId || (left.channelId === ref.channelId && left.seq >= seq))) return true
    const newer = this.#newerThan(ref)
    return newer?.members.has(user) ?? false
  }

  /** The user is a member no more, and was until this number. */
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
      hasMissedNews: false,
      left: undefined,
    }
    this.#users.set(userArn, user)
    return user
  }

  #takeOut(user: User<S>, channel: Channel<S>): void {
    channel.ahead.delete(user)
    channel.rejoins?.delete(user)
    channel.suspects?.delete(user)
    if (channel.members.delete(user) && channel.members.size === 0) this.drop(channel)
  }

  /** Puts the channel at its place among those of its ARN, the newest first. All but the newest have ended. */
  #chain(channel: Channel<S>): void {
    const newer = this.#newerThan(channel)
    channel.older = newer ? newer.older : this.#channels.get(channel.channelArn)
    if (newer) putBehind(newer, channel)
    else this.#channels.set(channel.channelArn, channel)
    if (channel.older) putBehind(channel, channel.older)
  }

  /** Returns the one that waited for it, if it need not wait any more. */
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

/** The end of the older one is in its log, and must be delivered first: clients know a channel by its ARN alone. */
function putBehind<S>(newer: Channel<S>, older: Channel<S>): void {
  newer.older = older
  newer.order.pause()
  older.order.doubt()
}

const without = <T>(items: readonly T[], item: T): T[] => items.filter((other) => other !== item)
