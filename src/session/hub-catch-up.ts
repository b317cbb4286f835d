import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { ChannelDelivery } from './channel-delivery.ts'
import type { ChannelLog, Membership } from './channel-log.ts'
import type { Channel, HubMembers, Subscriber, User } from './hub-members.ts'
import { OneAtATime } from './one-at-a-time.ts'

/**
 * Users whose memberships are read at a time, and channels whose latest numbers are. The event loop is free in between.
 */
const usersMax = 50
const channelsMax = 500

interface CatchUpParts<S extends Subscriber> {
  delivery: ChannelDelivery<S>
  channelLog: ChannelLog
  clock: Clock
  log: Log
}

/**
 * Compares the state of this hub with the store: the latest number of each channel, whether each user still exists, and
 * its memberships, in both directions. Events that the bus has lost are delivered from the log.
 */
export class CatchUp<S extends Subscriber> {
  readonly #delivery: ChannelDelivery<S>
  readonly #members: HubMembers<S>
  readonly #channelLog: ChannelLog
  readonly #work: OneAtATime
  /** The users that the next round compares. */
  #isForAll = false
  #users = new Set<User<S>>()

  constructor({ delivery, channelLog, clock, log }: CatchUpParts<S>) {
    this.#delivery = delivery
    this.#members = delivery.members
    this.#channelLog = channelLog
    this.#work = new OneAtATime({ clock, log, work: () => this.#catchUp() })
  }

  /** Any event may have been lost. */
  ask(): void {
    this.#isForAll = true
    for (const user of this.#members.users) if (!user.isKnown) user.mayHaveMissed = true
    this.#work.ask()
  }

  /**
   * Changes of the user's memberships may have been lost. A user whose memberships are being read is compared after
   * that.
   */
  askFor(user: User<S>): void {
    if (user.isKnown) {
      this.#users.add(user)
      this.#work.ask()
    } else user.mayHaveMissed = true
  }

  /**
   * Finds joins and leaves of a known user that were lost, and sessions of a deleted one. Rejects when they cannot be
   * read.
   */
  async compare(user: User<S>): Promise<void> {
    await this.#endDeleted([user])
    await this.#compareMemberships(user)
  }

  /** A user that is created again has another number: the sessions of the former one end. */
  async #endDeleted(users: readonly User<S>[]): Promise<void> {
    const living = await this.#channelLog.usersOf(users.map(({ userArn }) => userArn))
    for (const { userArn, sessions } of users) {
      for (const session of sessions) if (session.userId !== living.get(userArn)) session.userDeleted()
    }
  }

  async #compareMemberships(user: User<S>): Promise<void> {
    const here = new Map(user.channels.map((channel) => [channel, channel.members.get(user)]))
    for await (const page of membershipPages(this.#channelLog, user.userArn)) {
      if (!this.#members.isPresent(user)) return
      for (const membership of page) {
        const channel = this.#members.channel(membership)
        const since = channel && here.get(channel)
        if (channel) here.delete(channel)
        if (since === undefined || since < membership.joinedSeq) this.#join(user, membership)
      }
    }
    await this.#findLeaves(user, here)
  }

  close(): void {
    this.#work.close()
  }

  async #catchUp(): Promise<void> {
    const [isForAll, users] = [this.#isForAll, this.#users]
    this.#isForAll = false
    this.#users = new Set()
    try {
      if (isForAll) await this.#findEvents()
      await this.#compareAll(isForAll ? [...this.#members.users] : [...users])
    } catch (error) {
      this.#isForAll ||= isForAll
      for (const user of users) this.#users.add(user)
      throw error
    }
  }

  async #compareAll(users: readonly User<S>[]): Promise<void> {
    for (let start = 0; start < users.length; start += usersMax) {
      const some = users.slice(start, start + usersMax).filter((user) => user.isKnown)
      await this.#endDeleted(some)
      await Promise.all(some.map((user) => this.#members.isPresent(user) && this.#compareMemberships(user)))
      await setImmediate()
    }
  }

  async #findEvents(): Promise<void> {
    const channels = [...this.#members.channels()]
    for (let start = 0; start < channels.length; start += channelsMax) {
      const some = channels
        .slice(start, start + channelsMax)
        .map((channel) => [channel, channel.order.position] as const)
      const latest = await this.#channelLog.latest(some.map(([{ channelId }]) => channelId))
      for (const [channel, position] of some) {
        if (position === undefined || !this.#members.isHere(channel)) continue
        const { seq, isDeleted } = latest.get(channel.channelId) ?? {}
        // A log that ends before the delivered position is that of another channel: the store was replaced.
        if (seq === undefined || seq < position) this.#delivery.end(channel)
        else {
          if (isDeleted) channel.order.markUncertain()
          this.#delivery.reached(channel, seq)
        }
      }
      await setImmediate()
    }
  }

  #join(user: User<S>, membership: Membership): void {
    const channel = this.#delivery.joinAt(user, membership, membership.joinedSeq)
    if (!channel) return
    // Later events of a channel that was not known here were missed as well.
    channel.order.markUncertain()
    this.#delivery.advance(channel)
  }

  /** Memberships that were here before the read, and that the read has not found, have ended. */
  async #findLeaves(user: User<S>, here: Map<Channel<S>, number | undefined>): Promise<void> {
    const gone = [...here].filter(
      ([channel, joinedSeq]) => joinedSeq !== undefined && channel.members.get(user) === joinedSeq,
    )
    if (gone.length === 0) return
    const latest = await this.#channelLog.latest(gone.map(([{ channelId }]) => channelId))
    for (const [channel, joinedSeq] of gone) {
      const through = latest.get(channel.channelId)?.seq
      if (joinedSeq === undefined || channel.members.get(user) !== joinedSeq) continue
      if (through === undefined) this.#delivery.end(channel)
      else this.#delivery.suspect(user, channel, { joinedSeq, through })
    }
  }
}

/** All memberships of the user. The event loop is free between the pages. */
export async function* membershipPages(channelLog: ChannelLog, userArn: string): AsyncGenerator<Membership[]> {
  for (let after = 0, isLast = false; !isLast; ) {
    const { memberships, more } = await channelLog.memberships(userArn, after)
    yield memberships
    after = memberships.at(-1)?.channelId ?? after
    isLast = !more
    if (more) await setImmediate()
  }
}
