import type { ChannelRow, MembershipRow, MessageRow } from './tables.ts'

/** The events that a messaging session can see, by AWS's names (developer guide, "Using websockets"). */
export type EventType =
  | 'CREATE_CHANNEL_MESSAGE'
  | 'UPDATE_CHANNEL_MESSAGE'
  | 'PENDING_CREATE_CHANNEL_MESSAGE'
  | 'PENDING_UPDATE_CHANNEL_MESSAGE'
  | 'FAILED_CREATE_CHANNEL_MESSAGE'
  | 'FAILED_UPDATE_CHANNEL_MESSAGE'
  | 'DENIED_CREATE_CHANNEL_MESSAGE'
  | 'DENIED_UPDATE_CHANNEL_MESSAGE'
  | 'REDACT_CHANNEL_MESSAGE'
  | 'DELETE_CHANNEL_MESSAGE'
  | 'UPDATE_CHANNEL'
  | 'DELETE_CHANNEL'
  | 'CREATE_CHANNEL_MEMBERSHIP'

/** Who is told: all members of the channel, or these users whether or not they are members. */
export type Audience = { to: 'members'; and?: string } | { to: 'users'; users: string[] }

/** An event of a channel, in its place in the channel's log. */
export interface ChannelEvent {
  channelId: number
  channelArn: string
  /** Undefined for what makes no row: a NON_PERSISTENT message that meets no flow. */
  seq: number | undefined
  eventType: EventType
  audience: Audience
  createdAt: number
  about: EventSubject
}

/** What the event tells of. The log keeps the reference; the rest travels with the event while it is news. */
export type EventSubject = { message: MessageRow } | { channel: ChannelRow } | { membership: MembershipRow }

/**
 * An event as its channel's log remembers it. The log refers to text and never copies it, so the text may not be there any
 * more, or not be for those who are told, or the row may be gone altogether.
 */
export type PastEvent = Omit<ChannelEvent, 'about' | 'channelId'> & {
  about: EventSubject | { message: MessageRow; withoutText: true } | { gone: GoneSubject }
}

/** What is known of a subject without its row. */
export type GoneSubject =
  | { kind: 'message'; messageId: string; status: MessageRow['status']; createdAt: number | undefined }
  | { kind: 'membership'; memberArn: string }
  | { kind: 'channel' }
