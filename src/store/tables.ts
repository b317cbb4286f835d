/**
 * The rows of the views in migrations/001-schema.sql: rows of the hot tables with the ARNs of their channels and users. The
 * tables themselves only have the numbers (columns.ts).
 */

export interface MessageRow {
  channel_id: number
  channel_arn: string
  message_id: string
  /** Its number in the channel log, and so its position in the history. */
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
  /** The status of the latest update, if a flow holds it or it failed; the message itself stays SENT. */
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
  /** The requested text of an update, MessageText as JSON. The text of a new message is in the message's row. */
  requested_json: string | null
  /** Partial<MessageText> as JSON: what processors have changed so far. */
  text_json: string | null
  /** The CallbackId of its latest step. */
  callback_id: string
  /** The reason of the denial or the failure, as in `Status.Detail`. */
  detail: string | null
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
  /** The number of successive tries that did not reach the processor. */
  tries: number
  /** The number of failed attempts of a processor that was reached. */
  attempts: number
  /** The node that has the step in memory, parked or at its processor; '' if any node may take it. */
  owner: string
  /** When the step needs attention next: a retry is due, or the deadline passes (steps.ts). */
  due_at: number
  deadline_at: number
  created_at: number
  handed_off_at: number | null
  decided_at: number | null
  failure: string | null
  changes_json: string | null
  /** Identifies the call that decided the step. */
  verdict_key: string | null
  /** Attempt[] as JSON (flow/transition.ts): its failed attempts; null for none. */
  attempts_json: string | null
  /** Decision as JSON (flow/transition.ts); null if the state says everything. */
  decision_json: string | null
  /** How many callbacks for it were rejected; counted beside all other writes of the row. */
  rejected_callbacks: number
  /** The shard of its channel (shards.ts). */
  shard: number
}

/** A step with its run and message: what is needed to invoke its processor. */
export interface Job {
  step: StepRow
  run: RunRow
  message: MessageRow
}

export interface TokenRow {
  /** The idempotency key. */
  token_key: string
  parameters_hash: string
  answer_json: string
  expires_at: number
}

/** The channel with columns of its head row. */
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
  /** The channel is deleted so many days after the time that the criterion names. */
  expiration_days: number | null
  expiration_criterion: 'CREATED_TIMESTAMP' | 'LAST_MESSAGE_TIMESTAMP' | null
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
  /** The number of the join in the channel log. */
  joined_seq: number
  created_at: number
  updated_at: number
}
