/** The events about a message that hot writes append, by AWS's names (developer guide, "Using websockets"). */
export type MessageEventType =
  | 'CREATE_CHANNEL_MESSAGE'
  | 'UPDATE_CHANNEL_MESSAGE'
  | 'PENDING_CREATE_CHANNEL_MESSAGE'
  | 'PENDING_UPDATE_CHANNEL_MESSAGE'
  | 'FAILED_CREATE_CHANNEL_MESSAGE'
  | 'FAILED_UPDATE_CHANNEL_MESSAGE'
  | 'DENIED_CREATE_CHANNEL_MESSAGE'
  | 'DENIED_UPDATE_CHANNEL_MESSAGE'

/** Who receives the event: all members of the channel, or those of them that are listed. */
export type Audience = { to: 'members' } | { to: 'users'; users: string[] }

/** An event of a channel, with its number in the channel's log. The store knows no kinds of events, only their names. */
export interface ChannelEvent {
  channelId: number
  channelArn: string
  /** Undefined if the event has no row: a NON_PERSISTENT message that meets no flow. */
  seq: number | undefined
  eventType: string
  audience: Audience
  createdAt: number
  /** The log keeps this of what the event is about: a message's id, an ARN, or what else the kind of event wants. */
  subject: string
  /** That of the message, else 0. */
  revision: number
  /** The rows that the event is about. They travel with the event and are not in the log. */
  about: object
  /** Set if the transaction deletes or replaces a stored text (erasure.ts). */
  erasesText?: true
}
