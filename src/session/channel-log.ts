import type { Envelope } from '../bus/bus.ts'
import type { Gap } from './channel-order.ts'

/** What the hub reads of the store: the record of what the bus brings in a hurry. */
export interface ChannelLog {
  /** Whose members the users are, as committed when the answer was made. */
  memberships(userArns: readonly string[]): Promise<{ userArn: string; channelArn: string }[]>
  /** The number of each channel's latest event. A channel that does not exist is not in the answer. */
  latest(channelArns: readonly string[]): Promise<Map<string, number>>
  /** The number with which the user became a member. */
  joinedAt(userArn: string, channelArn: string): Promise<number | undefined>
  /** Undefined where the channel, or the one that had these numbers, does not exist any more. */
  read(channelArn: string, gap: Gap): Promise<LogPage | undefined>
  /** What tells the members that the channel is gone, when nothing else is left to tell it. */
  endOf(channelArn: string): Envelope
}

/** A piece of a channel's log. */
export interface LogPage {
  envelopes: Envelope[]
  /** Up to here there are no others. */
  through: number
  /** Whether the gap goes on after that. */
  more: boolean
}
