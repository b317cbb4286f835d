import type { MessageRow, RunRow, StepRow, TokenRow } from './tables.ts'

/* The columns of the hot tables, for statements that are made from them. */

/** The list, if it has every column of the row: else it does not compile. */
const allOf =
  <Row>() =>
  <const Columns extends (keyof Row & string)[]>(
    columns: Columns & ([Exclude<keyof Row, Columns[number]>] extends [never] ? unknown : never),
  ): Columns =>
    columns

export const messageKey = ['channel_arn', 'message_id'] satisfies (keyof MessageRow)[]
/** What is told of a message once and for all. */
export const messageOrigin = [
  'sender_arn',
  'sender_name',
  'type',
  'persistence',
  'target_arn',
  'redacted',
] satisfies (keyof MessageRow)[]
/** What can change in a message, but for its time. */
export const messageState = [
  'revision',
  'status',
  'status_detail',
  'content',
  'metadata',
  'content_type',
  'message_attributes_json',
  'push_notification_json',
  'edited_at',
  'update_status',
  'update_detail',
] satisfies (keyof MessageRow)[]

export const runKey = ['channel_arn', 'message_id', 'revision'] satisfies (keyof RunRow)[]
export const runState = [
  'state',
  'processors_json',
  'requested_json',
  'text_json',
  'ended_at',
] satisfies (keyof RunRow)[]
export const runColumns = allOf<RunRow>()([...runKey, 'channel_flow_arn', 'deadline_ms', 'created_at', ...runState])

export const stepKey = ['channel_arn', 'callback_id'] satisfies (keyof StepRow)[]
export const stepState = [
  'state',
  'tries',
  'attempts',
  'owner',
  'due_at',
  'deadline_at',
  'handed_off_at',
  'decided_at',
  'failure',
  'changes_json',
  'verdict_key',
] satisfies (keyof StepRow)[]
export const stepColumns = allOf<StepRow>()([
  ...stepKey,
  'message_id',
  'revision',
  'position',
  'function_arn',
  'created_at',
  'shard',
  ...stepState,
])

export const tokenKey = ['scope', 'operation', 'caller', 'token'] satisfies (keyof TokenRow)[]
export const tokenColumns = allOf<TokenRow>()([...tokenKey, 'parameters_hash', 'answer_json', 'expires_at'])

/** All columns of a message. */
export const messageColumns = allOf<MessageRow>()([
  ...messageKey,
  ...messageOrigin,
  ...messageState,
  'seq',
  'created_at',
  'updated_at',
])
