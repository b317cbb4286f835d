import type { Audience } from '../store/channel-event.ts'
import type { Reader } from '../store/store.ts'
import type { ChannelRow, MembershipRow, MessageRow, RunRow } from '../store/tables.ts'

/**
 * All that distinguishes one kind of event from the others. Each kind has a file in api/events/, and a line in its index.ts.
 * `Row` is what the event is about when it is committed. `Past` is what is left of it when the log is read.
 */
export interface EventKind<Row extends object, Past extends object = Row> {
  /** AWS's name (developer guide, "Using websockets"). */
  readonly eventType: string
  /** Where clients receive it. */
  readonly heardOn: 'sessions' | 'streams' | 'both'
  /** Set if a transaction that appends it deletes a stored text. */
  readonly erasesText?: true
  /** What the log keeps. */
  reference(row: Row): { subject: string; revision: number }
  audience(row: Row, read: Reader): Audience | Promise<Audience>
  /** Who is a member afterwards. Read from the log's subject alone, since the rows may be gone. */
  effect?(subject: string): MembershipEffect
  /** The header `x-amz-chime-message-type`. */
  messageType(about: Row | Past): string
  /** AWS's structure for this kind, with times as ISO 8601 texts. */
  payload(about: Row | Past, event: EventTime): object
  /**
   * The event with the rows as they are now: later changes of its subject may show, but not its status. A text is there
   * only if the audience may read it at this moment.
   */
  fromLog(row: LogRow, rows: SubjectRows): Past
}

/** How the event changes who is a member of the channel, beginning after its number. */
interface MembershipEffect {
  joins?: readonly string[]
  leaves?: string
  /** Every member leaves, since the channel is deleted. */
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

/** The rows that the store has now of the subjects of some log rows. */
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

export type PastRun = Pick<RunRow, 'message_id' | 'revision' | 'requested_json' | 'created_at'>

export const runKey = (messageId: string, revision: number): string => `${revision} ${messageId}`

/** The kinds of one server, by their names. */
export type EventKinds = Readonly<Record<string, EventKind<object>>>

export const kindsByName = (kinds: readonly EventKind<object>[]): EventKinds =>
  Object.fromEntries(kinds.map((kind) => [kind.eventType, kind]))
