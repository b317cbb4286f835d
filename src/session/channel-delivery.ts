import type { Bus, ChannelRef, Envelope, Listener } from '../bus/bus.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { ChannelLog, LogPage, Membership } from './channel-log.ts'
import type { Gap } from './channel-order.ts'
import { GapReader } from './gap-reader.ts'
import { type Channel, HubMembers, type Subscriber, type User } from './hub-members.ts'
import { textFrame } from './text-frame.ts'

interface DeliveryParts<S extends Subscriber> {
  bus: Bus
  channelLog: ChannelLog
  clock: Clock
  log: Log
  /** Notifications of the bus besides the events themselves. */
  listener: Pick<Listener, 'changed' | 'catchUp'>
  /** The log shows a change of the members: compare the user's memberships with the store. */
  compare(user: User<S>): void
}

/**
 * Delivers the numbered events of each channel in the order of its log, each once, and reads events from the log that
 * the bus has lost. Joins and leaves take effect at their numbers in that order.
 *
 * A member receives the events of a channel from its join to its leave. `ahead` and `repeatedThrough` are for members
 * that are out of step with their channel: a number passes when the order reaches it, and a member receives it if it is
 * above
 *
 *     its own number in `ahead`     it entered while the hub was behind, or its join arrived too late
 *     repeatedThrough, else         it has received the numbers that pass for the second time
 *
 * The notification of a join arrives at once, and separately from the event itself. So the join may be
 *
 *     ahead of the order       the user is a member, and receives nothing before its number
 *     the next number          it simply is a member
 *     behind the order         the order is rewound, for this user only
 *     after its own leave      that is not delivered yet: recorded in `rejoins` until then
 *
 * A join that only the log shows proves nothing, because the user may have left again before its session began: the
 * user's memberships are compared with the store.
 */
export class ChannelDelivery<S extends Subscriber> {
  readonly members: HubMembers<S>
  readonly #parts: DeliveryParts<S>
  readonly #gaps: GapReader<Channel<S>>
  readonly #subscription: { close(): void }

  constructor(parts: DeliveryParts<S>) {
    this.#parts = parts
    const { bus, channelLog, clock, log, listener } = parts
    const subscription = bus.listen({
      deliver: (envelopes) => {
        for (const envelope of envelopes) this.#receive(envelope)
      },
      joined: (userArn, channel, seq) => this.#receiveJoin(userArn, channel, seq),
      reached: (channel, seq) => this.#receivePosition(channel, seq),
      ...listener,
    })
    this.#subscription = subscription
    this.#gaps = new GapReader({ channelLog, clock, log, fill: (...read) => this.#fill(...read) })
    this.members = new HubMembers<S>({
      subscription,
      opened: (channel) => this.#follow(channel),
      dropped: (channel, next) => {
        this.#gaps.forget(channel)
        if (!next) return
        this.advance(next)
        if (next.order.hasGap) this.#gaps.now(next)
      },
    })
  }

  /** Ends the subscription. */
  close(): void {
    this.#subscription.close()
    this.#gaps.close()
  }

  /**
   * The user has entered, and receives events after the number that was the latest when its membership was read, even
   * if this hub has not reached that number yet.
   */
  startAfter(user: User<S>, membership: Membership): void {
    const { joinedSeq, latest } = membership
    const channel = this.members.channel(membership)
    const since = channel?.members.get(user)
    // It has left in between: after this membership, or after one before this.
    if (!channel || since === undefined) {
      this.#receiveJoin(user.userArn, membership, joinedSeq)
      return
    }
    const { members, ahead, order } = channel
    members.set(user, Math.max(since, joinedSeq))
    if (order.position === undefined) order.startAt(latest)
    else if (latest > Math.max(order.position, order.repeatedThrough) || ahead.has(user))
      this.#receiveAfter(user, channel, latest)
    // The order has started later for another user, and events that this one must receive may have been dropped.
    else if (latest < order.begin && since <= joinedSeq) this.#rewindFor(user, channel, latest)
    order.reach(latest)
    this.advance(channel)
  }

  /**
   * The user is a member from this number on. Returns the channel, or undefined if that was known.
   */
  joinAt(user: User<S>, ref: ChannelRef, seq: number): Channel<S> | undefined {
    if (this.members.hasLeft(user, ref, seq)) return undefined
    const channel = this.members.channel(ref) ?? this.members.add(ref)
    const { order, members } = channel
    const { position } = order
    const since = members.get(user)
    if (since !== undefined) {
      if (since >= seq) return undefined
      this.#joinAgain(user, channel, seq)
    } else {
      if (position === undefined) {
        order.startAt(seq - 1)
        // The subscription may have become active after later events.
        if (channel.interest) order.markUncertain()
      } else if (position >= seq) this.#rewindFor(user, channel, seq - 1)
      else if (position < seq - 1 || seq <= order.repeatedThrough) this.#receiveAfter(user, channel, seq - 1)
      this.members.enter(user, [{ channel, joinedSeq: seq }])
    }
    order.reach(seq)
    return channel
  }

  /** The user has no membership any more. It leaves with the event of its leave, or at the latest with this number. */
  suspect(user: User<S>, channel: Channel<S>, suspect: { joinedSeq: number; through: number }): void {
    channel.suspects ??= new Map()
    channel.suspects.set(user, suspect)
    channel.order.reach(suspect.through)
    this.advance(channel)
  }

  /** Removes a user who has just entered and has no membership any more, without an event. */
  retract(user: User<S>, channel: Channel<S>, joinedSeq: number): void {
    const since = channel.members.get(user)
    if (since === undefined) return
    // It has joined again, and it is unknown whether it has also left again.
    if (since > joinedSeq || channel.rejoins?.has(user)) this.#parts.compare(user)
    this.members.leave(user, channel, joinedSeq)
  }

  /** Delivers the events that are next in order. A remaining gap is read from the log, unless the bus fills it soon. */
  advance(channel: Channel<S>): void {
    while (this.members.isHere(channel)) {
      const envelope = channel.order.next()
      if (!envelope) break
      this.#deliver(envelope, channel)
    }
    if (channel.suspects) this.#settleSuspects(channel, channel.suspects)
    if (this.members.isHere(channel) && channel.order.hasGap) this.#gaps.soon(channel)
  }

  /** The channel and its log are deleted: deliver the early events, then the end. */
  end(channel: Channel<S>): void {
    for (const envelope of channel.order.drain()) if (this.members.isHere(channel)) this.#deliver(envelope, channel)
    if (this.members.isHere(channel)) this.#deliver(this.#parts.channelLog.endOf(channel), channel)
  }

  /** If the order has started before the subscription was active, some later events may be only in the log. */
  #follow(channel: Channel<S>): void {
    if (channel.older) this.advance(channel.older)
    void channel.interest?.then(() => {
      if (!this.members.isHere(channel) || channel.order.position === undefined) return
      channel.order.markUncertain()
      if (channel.order.hasGap) this.#gaps.now(channel)
    })
  }

  #receive(envelope: Envelope): void {
    const { seq, joins } = envelope
    if (seq !== undefined && joins) for (const userArn of joins) this.#receiveJoin(userArn, envelope, seq, false)
    const channel = this.members.channel(envelope)
    if (!channel) return
    if (seq !== undefined) this.#take(envelope, seq, channel)
    // An event without a number cannot wait until the former channel with this ARN has ended here.
    else if (!channel.older) this.#deliver(envelope, channel)
  }

  #take(envelope: Envelope, seq: number, channel: Channel<S>): void {
    if (channel.order.accept(seq, envelope)) this.#deliver(envelope, channel)
    if (channel.order.hasGap || channel.suspects) this.advance(channel)
  }

  #receiveJoin(userArn: string, ref: ChannelRef, seq: number, isAlone = true): void {
    const user = this.members.user(userArn)
    const channel = user && this.joinAt(user, ref, seq)
    if (channel && isAlone) this.advance(channel)
  }

  #receivePosition(ref: ChannelRef, seq: number): void {
    const channel = this.members.channel(ref)
    if (channel) this.reached(channel, seq)
  }

  reached(channel: Channel<S>, seq: number): void {
    channel.order.reach(seq)
    this.advance(channel)
  }

  #joinAgain(user: User<S>, channel: Channel<S>, seq: number): void {
    const { position = 0 } = channel.order
    // All events up to the position have passed for this user: its leave was not in the log, and does not matter any
    // more.
    if (user.isKnown && seq <= position && !channel.ahead.has(user)) channel.members.set(user, seq)
    else {
      channel.rejoins ??= new Map()
      channel.rejoins.set(user, Math.max(seq, channel.rejoins.get(user) ?? 0))
    }
  }

  #receiveAfter(user: User<S>, { ahead }: Channel<S>, seq: number): void {
    ahead.set(user, Math.max(seq, ahead.get(user) ?? 0))
  }

  /**
   * The order goes back to this number. The other members have received the later events, after former rewinds, too.
   */
  #rewindFor(user: User<S>, { order, ahead }: Channel<S>, seq: number): void {
    const { position = 0 } = order
    for (const [other, through] of ahead) ahead.set(other, Math.max(through, position))
    ahead.set(user, seq)
    order.rewind(seq)
  }

  /** The user receives this number, and no later one unless it has joined again. */
  #leaveAt(user: User<S>, channel: Channel<S>, seq: number): void {
    const since = channel.members.get(user)
    // It has joined again after that.
    if (since === undefined || since > seq) return
    const again = channel.rejoins?.get(user)
    if (again === undefined || again <= seq) {
      this.members.leave(user, channel, seq)
      return
    }
    channel.rejoins?.delete(user)
    channel.members.set(user, again)
    channel.ahead.set(user, again - 1)
  }

  #fill(channel: Channel<S>, gap: Gap, page: LogPage | undefined): void {
    const { order } = channel
    if (!page) {
      this.end(channel)
      return
    }
    const isUseless = order.position === undefined || order.position < gap.after || order.isPaused
    if (gap.through === undefined && (page.more || isUseless)) order.markUncertain()
    if (isUseless) return
    for (const envelope of page.envelopes) {
      const { seq } = envelope
      if (seq === undefined || !this.members.isHere(channel)) continue
      // The log of a deleted channel may have only its last event.
      this.#skipTo(channel, seq - 1, envelope.closes)
      this.#take(envelope, seq, channel)
      for (const userArn of envelope.joins ?? []) this.#checkJoin(userArn, channel, seq)
    }
    if (!this.members.isHere(channel)) return
    this.#skipTo(channel, page.through, page.isEnd)
    if (page.isEnd) this.end(channel)
    else this.advance(channel)
  }

  #checkJoin(userArn: string, channel: Channel<S>, seq: number): void {
    const user = this.members.user(userArn)
    if (user?.isKnown && !channel.members.has(user) && !this.members.hasLeft(user, channel, seq)) {
      this.#parts.compare(user)
    }
  }

  /** A number that is missing in the log itself will never come: skip it rather than stop. */
  #skipTo(channel: Channel<S>, position: number, isExpected = false): void {
    const { channelArn, order } = channel
    if (order.position === undefined || position <= order.position) return
    if (!isExpected)
      this.#parts.log.warn({ channelArn, after: order.position, through: position }, 'gap in a channel log')
    order.skipTo(position)
  }

  /**
   * Ends the memberships of users whose leave has not arrived, although the order has passed its latest possible
   * number.
   */
  #settleSuspects(channel: Channel<S>, suspects: NonNullable<Channel<S>['suspects']>): void {
    const { position = 0, repeatedThrough } = channel.order
    for (const [user, { joinedSeq, through }] of suspects) {
      if (position < Math.max(through, repeatedThrough)) continue
      suspects.delete(user)
      if (channel.members.get(user) !== joinedSeq) continue
      this.#deliver(this.#parts.channelLog.leaveOf(channel, user.userArn), channel)
      this.#leaveAt(user, channel, position)
    }
    if (suspects.size === 0) channel.suspects = undefined
  }

  #deliver({ seq, audience, leaves, closes, isUnknown, frame }: Envelope, channel: Channel<S>): void {
    const { members, ahead, order } = channel
    const inStep = seq === undefined || (ahead.size === 0 && seq > order.repeatedThrough)
    let bytes: Buffer | undefined
    for (const user of audience.to === 'members' ? members.keys() : this.#listed(audience.users, channel)) {
      if (!inStep && !isDue(user, seq, channel)) continue
      bytes ??= textFrame(frame)
      for (const session of user.sessions) session.deliver(bytes)
    }
    if (isUnknown) for (const user of channel.members.keys()) this.#parts.compare(user)
    const leaving = leaves === undefined || seq === undefined ? undefined : this.members.user(leaves)
    if (leaving) this.#leaveAt(leaving, channel, seq as number)
    if (closes && this.members.isHere(channel)) this.members.drop(channel)
  }

  /**
   * An event is for members only, whatever users it names. A named user who is not known as a member here has left, or
   * has just joined on another node, and receives the event in its order when the join arrives.
   */
  #listed(userArns: readonly string[], { members }: Channel<S>): Iterable<User<S>> {
    const users = userArns.map((userArn) => this.members.user(userArn))
    return new Set(users.filter((user) => user !== undefined && members.has(user)) as User<S>[])
  }
}

/**
 * Whether the member has not received the number yet. Once that is true above `repeatedThrough`, it is in step again.
 */
function isDue<S>(user: User<S>, seq: number, { ahead, order }: Channel<S>): boolean {
  const through = ahead.get(user)
  if (seq <= (through ?? order.repeatedThrough)) return false
  if (seq > order.repeatedThrough) ahead.delete(user)
  return true
}
