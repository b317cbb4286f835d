import type { ChannelRef, Envelope } from '../bus/bus.ts'
import type { Gap } from './channel-order.ts'

/** The hub's reads of the store: the log is the record of the events that the bus carries. */
export interface ChannelLog {
  /**
   * A page of the user's memberships, in the order of the channels' numbers, beginning after this one; with `through`,
   * all of them up to that one. A page shows one moment: a join or a leave that it does not show has a number above
   * `latest`.
   */
  memberships(userArn: string, afterChannelId: number, through?: number): Promise<MembershipPage>
  /** The numbers of the users that are not deleted, by ARN. A user that is created again has another number. */
  usersOf(userArns: readonly string[]): Promise<Map<string, number>>
  /** The latest number of each channel. A channel without a log is not in the map. */
  latest(channelIds: readonly number[]): Promise<Map<number, LatestNumber>>
  /** Undefined if the channel has no log. */
  read(channel: ChannelRef, gap: Gap): Promise<LogPage | undefined>
  /** The event of the channel's deletion for its members, if it is not in the log any more. */
  endOf(channel: ChannelRef): Envelope
  /** The event of a user's leave for that user, if it is not in the log any more. */
  leaveOf(channel: ChannelRef, userArn: string): Envelope
}

export interface Membership extends ChannelRef {
  /** The number of the user's join. */
  joinedSeq: number
  /** The number of the channel's latest event. */
  latest: number
}

export interface MembershipPage {
  memberships: Membership[]
  /** Whether there are further memberships after this page. */
  more: boolean
}

export interface LatestNumber {
  seq: number
  isDeleted: boolean
}

/** A page of a channel's log. */
export interface LogPage {
  envelopes: Envelope[]
  /** The page has all events up to this number. */
  through: number
  /** Whether the gap continues after that. */
  more: boolean
  /** Whether the channel is deleted, and its log ends here. */
  isEnd: boolean
}
