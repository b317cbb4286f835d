import type { Audience } from '../store/channel-event.ts'
import type { Reader } from '../store/store.ts'
import type { ChannelRow, MembershipRow, MessageRow, RunRow } from '../store/tables.ts'

/**
 * The definition of one kind of event. Each kind has a file in api/events/, and a line in its index.ts.
 * `Row` is the subject of the event when it is committed. `Past` is the part of it that is left when the log is read.
 */
export interface EventKind<Row extends object, Past extends object = Row> {
  /** AWS's name (developer guide, "Using websockets"). */
  readonly eventType: string
  /** The channels on which clients receive it. */
  readonly heardOn: 'sessions' | 'streams' | 'both'
  /** Set if a transaction that appends it deletes a stored text. */
  readonly erasesText?: true
  /** The reference to the subject in the log. */
  reference(row: Row): { subject: string; revision: number }
  audience(row: Row, read: Reader): Audience | Promise<Audience>
  /** The effect on the memberships. It depends only on the log's subject, because the rows may be deleted. */
  effect?(subject: string): MembershipEffect
  /** The header `x-amz-chime-message-type`. */
  messageType(about: Row | Past): string
  /** AWS's structure for this kind, with times as ISO 8601 texts. */
  payload(about: Row | Past, event: EventTime): object
  /**
   * The event with the present rows: later changes of its subject may show, but not its status. It has a text only if
   * the audience may read the text at this moment.
   */
  fromLog(row: LogRow, rows: SubjectRows): Past
}

/** How the event changes the memberships of the channel, after its number. */
interface MembershipEffect {
  joins?: readonly string[]
  leaves?: string
  /** Every member leaves, because the channel is deleted. */
  closes?: true
}

export interface EventTime {
  channelArn: string
  createdAt: number
}

/** One row of channel_log. */
export interface LogRow {
  channel_id: number
  channel_arn: string
  seq: number
  event_type: string
  audience_json: string
  subject: string
  revision: number
  created_at: number
}

/** The present rows of the subjects of some log rows. */
export interface SubjectRows {
  channel: ChannelRow | undefined
  members: ReadonlyMap<string, PastMember>
  messages: ReadonlyMap<string, MessageRow>
  /** By runKey. */
  runs: ReadonlyMap<string, PastRun>
}

/** A user who is or was a member. */
export interface PastMember {
  member_arn: string
  member_name: string
  membership: MembershipRow | undefined
}

export type PastRun = Pick<RunRow, 'message_id' | 'revision' | 'requested_json' | 'created_at' | 'detail'>

export const runKey = (messageId: string, revision: number): string => `${revision} ${messageId}`

/** The kinds of one server, by their names. */
export type EventKinds = Readonly<Record<string, EventKind<object>>>

export const kindsByName = (kinds: readonly EventKind<object>[]): EventKinds =>
  Object.fromEntries(kinds.map((kind) => [kind.eventType, kind]))
