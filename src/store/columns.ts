import type { MembershipRow, MessageRow, RunRow, StepRow, TokenRow } from './tables.ts'

/* The columns of the hot tables, from which statements are generated, without the ARNs that the views join. */

/** The ARNs and names that the views join to a row. */
type Joined = 'channel_arn' | 'sender_arn' | 'target_arn' | 'member_arn' | 'member_name'
type ColumnOf<Row> = Exclude<keyof Row & string, Joined>

/** Returns the list. It only compiles if the list has every column of the row. */
const allOf =
  <Row>() =>
  <const Columns extends ColumnOf<Row>[]>(
    columns: Columns & ([Exclude<ColumnOf<Row>, Columns[number]>] extends [never] ? unknown : never),
  ): Columns =>
    columns

export const messageKey = ['channel_id', 'message_id'] satisfies ColumnOf<MessageRow>[]
/** The columns of a message that never change. */
const messageOrigin = [
  'sender_id',
  'sender_name',
  'type',
  'persistence',
  'target_id',
  'redacted',
] satisfies ColumnOf<MessageRow>[]
/** The columns of a message that can change, without its time. */
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
] satisfies ColumnOf<MessageRow>[]
/** All columns of a message. */
export const messageColumns = allOf<MessageRow>()([
  ...messageKey,
  ...messageOrigin,
  ...messageState,
  'seq',
  'created_at',
  'updated_at',
])

export const runKey = ['channel_id', 'message_id', 'revision'] satisfies ColumnOf<RunRow>[]
export const runState = [
  'state',
  'processors_json',
  'requested_json',
  'text_json',
  'callback_id',
  'detail',
  'ended_at',
] satisfies ColumnOf<RunRow>[]
export const runColumns = allOf<RunRow>()([...runKey, 'channel_flow_arn', 'deadline_ms', 'created_at', ...runState])

export const stepKey = ['channel_id', 'callback_id'] satisfies ColumnOf<StepRow>[]
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
  'attempts_json',
  'decision_json',
] satisfies ColumnOf<StepRow>[]
export const stepColumns = allOf<StepRow>()([
  ...stepKey,
  'previous_callback_id',
  'message_id',
  'revision',
  'position',
  'function_arn',
  'created_at',
  'shard',
  'rejected_callbacks',
  ...stepState,
])

const tokenKey = ['token_key'] satisfies ColumnOf<TokenRow>[]
export const tokenColumns = allOf<TokenRow>()([...tokenKey, 'parameters_hash', 'answer_json', 'expires_at'])

export const membershipColumns = allOf<MembershipRow>()([
  'channel_id',
  'member_id',
  'type',
  'invited_by_arn',
  'invited_by_name',
  'read_marker_at',
  'joined_seq',
  'created_at',
  'updated_at',
])
