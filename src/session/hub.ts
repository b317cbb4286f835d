import type { Bus } from '../bus/bus.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { ChannelDelivery } from './channel-delivery.ts'
import type { ChannelLog, Membership } from './channel-log.ts'
import { CatchUp, membershipPages } from './hub-catch-up.ts'
import type { HubMembers, Subscriber, User } from './hub-members.ts'

interface HubParts {
  bus: Bus
  channelLog: ChannelLog
  clock: Clock
  log: Log
}

/**
 * Delivers the events of the bus to their sessions: the numbered events of a channel in the order of its log, each
 * once. Events that the bus has lost are read from the log. This class registers sessions; HubMembers has users,
 * channels and memberships, ChannelDelivery delivers, and CatchUp compares both with the store.
 */
export class Hub<S extends Subscriber> {
  readonly #channelLog: ChannelLog
  readonly #delivery: ChannelDelivery<S>
  readonly #members: HubMembers<S>
  readonly #catchUp: CatchUp<S>

  constructor(parts: HubParts) {
    this.#channelLog = parts.channelLog
    this.#delivery = new ChannelDelivery<S>({
      ...parts,
      listener: {
        changed: (userArn) => {
          const user = this.#members.user(userArn)
          if (user) this.#catchUp.askFor(user)
        },
        catchUp: () => this.#catchUp.ask(),
      },
      compare: (user) => this.#catchUp.askFor(user),
    })
    this.#members = this.#delivery.members
    this.#catchUp = new CatchUp({ ...parts, delivery: this.#delivery })
  }

  /** For tests and gauges. Both are zero if no session is left. */
  get size(): { users: number; channels: number } {
    return this.#members.size
  }

  /** The number of events, of all channels here, that are known and not delivered yet. */
  get lag(): number {
    let lag = 0
    for (const { order } of this.#members.channels()) lag += order.lag
    return lag
  }

  /** The user's sessions, oldest first. */
  sessionsOf(userArn: string): readonly S[] {
    return this.#members.user(userArn)?.sessions ?? []
  }

  /**
   * Once this resolves, the session misses no committed event. It may receive some events before. Rejects if the
   * memberships cannot be read. In any case the session stays until it is removed.
   */
  async register(session: S): Promise<void> {
    const user = this.#members.addSession(session)
    if (user.isKnown) {
      await this.#catchUp.compare(user)
      return
    }
    user.entering ??= this.#enter(user).finally(() => {
      user.entering = undefined
    })
    await user.entering
  }

  remove(session: S): void {
    this.#members.removeSession(session)
  }

  /** Reads events from the log that the bus may have lost. The hub also does so whenever the bus was away. */
  catchUp(): void {
    this.#catchUp.ask()
  }

  /** Ends the subscription. The sessions stay. */
  close(): void {
    this.#delivery.close()
    this.#catchUp.close()
  }

  /**
   * First the subscription, then the read: a join that the read does not see is published after it, and is received. In
   * the other order, a join in between would be lost. The same for the channels of each page: their memberships are
   * read a second time, which shows a leave that came in between, and a later leave is received.
   */
  async #enter(user: User<S>): Promise<void> {
    if (user.interest) await user.interest
    let after = 0
    for await (const page of membershipPages(this.#channelLog, user.userArn)) {
      // A user who has left meanwhile must not leave channels behind.
      if (!this.#members.isPresent(user)) return
      if (!(await this.#enterPage(user, page, after))) return
      after = page.at(-1)?.channelId ?? after
    }
    user.isKnown = true
    if (user.mayHaveMissed) this.#catchUp.askFor(user)
    user.mayHaveMissed = false
  }

  async #enterPage(user: User<S>, page: readonly Membership[], after: number): Promise<boolean> {
    const joins = page.map((membership) => ({
      channel: this.#members.channel(membership) ?? this.#members.add(membership),
      joinedSeq: membership.joinedSeq,
    }))
    this.#members.enter(user, joins)
    await Promise.all(joins.map(({ channel }) => channel.interest))
    const { memberships } = await this.#channelLog.memberships(user.userArn, after, page.at(-1)?.channelId)
    if (!this.#members.isPresent(user)) return false
    const now = new Map(memberships.map((membership) => [membership.channelId, membership]))
    for (const { channel, joinedSeq } of joins) {
      const membership = now.get(channel.channelId)
      if (membership) this.#delivery.startAfter(user, membership)
      else this.#delivery.retract(user, channel, joinedSeq)
    }
    return true
  }
}
