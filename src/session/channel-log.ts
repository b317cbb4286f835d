import type { Envelope } from '../bus/bus.ts'
import type { Gap } from './channel-order.ts'

/** The hub's reads of the store: the log is the record of the events that the bus carries. */
export interface ChannelLog {
  /** The memberships of the users, as committed at the time of the read. */
  memberships(userArns: readonly string[]): Promise<{ userArn: string; channelArn: string }[]>
  /** The number of each channel's latest event. A channel that does not exist is not in the result. */
  latest(channelArns: readonly string[]): Promise<Map<string, number>>
  /** The number with which the user became a member. */
  joinedAt(userArn: string, channelArn: string): Promise<number | undefined>
  /** Undefined if the channel, or the one that had these numbers, does not exist any more. */
  read(channelArn: string, gap: Gap): Promise<LogPage | undefined>
  /** The event that ends the channel for its members, if no other record of the deletion is left. */
  endOf(channelArn: string): Envelope
}

/** A page of a channel's log. */
export interface LogPage {
  envelopes: Envelope[]
  /** The page has all events up to this number. */
  through: number
  /** Whether the gap continues after that. */
  more: boolean
}
