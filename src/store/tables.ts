/**
 * Rows of the hot tables, as the views of migrations/001-schema.sql give them: with the ARNs for which their numbers
 * stand. The tables have the numbers alone (columns.ts).
 */

export interface MessageRow {
  channel_id: number
  channel_arn: string
  message_id: string
  /** Its place in the channel's log, and so in the history. */
  seq: number
  revision: number
  status: 'PENDING' | 'SENT' | 'FAILED' | 'DENIED'
  status_detail: string | null
  sender_id: number
  sender_arn: string
  sender_name: string
  type: string
  persistence: string
  content: string
  metadata: string | null
  content_type: string | null
  message_attributes_json: string | null
  push_notification_json: string | null
  target_id: number | null
  target_arn: string | null
  redacted: number
  created_at: number
  edited_at: number | null
  updated_at: number
  /** Of the latest update, where a flow holds it or it failed; the message itself stays SENT. */
  update_status: 'PENDING' | 'FAILED' | null
  update_detail: string | null
}

/** The members of a message that a processor may change, each as JSON. */
export type MessageText = Pick<
  MessageRow,
  'content' | 'metadata' | 'content_type' | 'message_attributes_json' | 'push_notification_json'
>

export interface RunRow {
  channel_id: number
  channel_arn: string
  message_id: string
  revision: number
  state: 'RUNNING' | 'SENT' | 'DENIED' | 'FAILED'
  channel_flow_arn: string
  processors_json: string
  deadline_ms: number
  /** MessageText as JSON, of an update: what its sender asked for. A new message's own row has it. */
  requested_json: string | null
  /** Partial<MessageText> as JSON: what processors have changed so far. */
  text_json: string | null
  /** The CallbackId of its latest step. */
  callback_id: string
  created_at: number
  ended_at: number | null
}

export interface StepRow {
  channel_id: number
  channel_arn: string
  callback_id: string
  /** The CallbackId of the step before it in the run. */
  previous_callback_id: string | null
  message_id: string
  revision: number
  position: number
  function_arn: string
  state: 'DISPATCHING' | 'AWAITING' | 'ALLOWED' | 'DENIED' | 'UNREACHABLE' | 'EXPIRED'
  /** How often in a row the processor could not be reached. */
  tries: number
  /** How often it was reached and its attempt then failed. */
  attempts: number
  /** The node that has the step in memory, parked or at its processor; '' when none has. */
  owner: string
  /** When the step needs attention next: a retry is due, or the deadline passes (steps.ts). */
  due_at: number
  deadline_at: number
  created_at: number
  handed_off_at: number | null
  decided_at: number | null
  failure: string | null
  changes_json: string | null
  /** Stands for the call that decided it. */
  verdict_key: string | null
  /** Of its channel (shards.ts). */
  shard: number
}

/** All that is needed to let a processor take its turn. */
export interface Turn {
  step: StepRow
  run: RunRow
  message: MessageRow
}

export interface TokenRow {
  /** A hash of what makes two calls the same call. */
  token_key: string
  parameters_hash: string
  answer_json: string
  expires_at: number
}

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

/** The channel with what its head row says of it. */
export interface ChannelRow {
  channel_id: number
  channel_arn: string
  app_instance_arn: string
  name: string
  mode: 'UNRESTRICTED' | 'RESTRICTED'
  privacy: 'PUBLIC' | 'PRIVATE'
  metadata: string | null
  channel_flow_arn: string | null
  created_by_arn: string
  created_by_name: string
  created_at: number
  updated_at: number
  last_message_at: number | null
}

export interface MembershipRow {
  channel_id: number
  channel_arn: string
  member_id: number
  member_arn: string
  member_name: string
  type: 'DEFAULT' | 'HIDDEN'
  invited_by_arn: string
  invited_by_name: string
  read_marker_at: number | null
  /** The number of the event that told the channel of the new member. */
  joined_seq: number
  created_at: number
  updated_at: number
}
