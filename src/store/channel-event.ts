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

/** An event of a channel, with its number in the channel log. The store only knows the names of the kinds of events. */
export interface ChannelEvent {
  channelId: number
  channelArn: string
  /** Undefined if the event has no row: a NON_PERSISTENT message without a flow. */
  seq: number | undefined
  eventType: string
  audience: Audience
  createdAt: number
  /** The subject of the event in the log: a message's id, an ARN, or what else the kind of event needs. */
  subject: string
  /** The message's revision; 0 for an event that is not about a message. */
  revision: number
  /** The rows that the event is about. They are published with the event and are not in the log. */
  about: object
  /** Set if the transaction deletes or replaces a stored text (erasure.ts). */
  erasesText?: true
}
