import type { ChannelRef, Envelope } from '../bus/bus.ts'
import type { Gap } from './channel-order.ts'

/** What the hub reads of the store: the record of what the bus brings in a hurry. */
export interface ChannelLog {
  /**
   * A page of the user's memberships, in the order of the channels' numbers, beginning after this one; with `through`, all of
   * them up to that one. What a page says was true at one moment: a join or a leave that it does not show has a number
   * above `latest`.
   */
  memberships(userArn: string, afterChannelId: number, through?: number): Promise<MembershipPage>
  /** The numbers of those of the users that are not deleted, by ARN. A user that is created again has another number. */
  usersOf(userArns: readonly string[]): Promise<Map<string, number>>
  /** A channel whose log is not there is not in the map. */
  latest(channelIds: readonly number[]): Promise<Map<number, LatestNumber>>
  /** Undefined if the log of the channel is not there. */
  read(channel: ChannelRef, gap: Gap): Promise<LogPage | undefined>
  /** Tells the members that the channel is gone, if the event that says so is not in the log any more. */
  endOf(channel: ChannelRef): Envelope
  /** Tells a user that it is no member any more, if the event that says so is not in the log any more. */
  leaveOf(channel: ChannelRef, userArn: string): Envelope
}

export interface Membership extends ChannelRef {
  /** The number of the event with which the user joined. */
  joinedSeq: number
  /** The number of the channel's latest event. */
  latest: number
}

export interface MembershipPage {
  memberships: Membership[]
  /** Whether there are others after the last of these. */
  more: boolean
}

export interface LatestNumber {
  seq: number
  isDeleted: boolean
}

/** A piece of a channel's log. */
export interface LogPage {
  envelopes: Envelope[]
  /** Up to here there are no others. */
  through: number
  /** Whether the gap goes on after that. */
  more: boolean
  /** Whether the channel is deleted, and its log ends here. */
  isEnd: boolean
}
