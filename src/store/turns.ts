import { messageColumns, runColumns, stepColumns } from './columns.ts'
import type { Reader, Value } from './store.ts'
import type { MessageRow, RunRow, StepRow } from './tables.ts'

/** A step with its run. The message may be gone: one that was denied, or is NON_PERSISTENT, leaves no row. */
export interface ReadTurn {
  step: StepRow
  run: RunRow
  message: MessageRow | undefined
}

/** Each column under a name that says its table, since three tables have columns of the same name. */
const aliased = (table: string, columns: string[]) =>
  columns.map((column) => `${table}.${column} AS ${table}__${column}`).join(', ')

/** One statement for the three rows: a callback is a round trip to PostgreSQL, not three. */
const turnText = `SELECT ${aliased('flow_step', stepColumns)}, ${aliased('flow_run', runColumns)},
    ${aliased('channel_message', messageColumns)},
    channel.channel_arn, sender.app_instance_user_arn AS sender_arn, target.app_instance_user_arn AS target_arn
  FROM channel
  JOIN flow_step ON flow_step.channel_id = channel.channel_id AND flow_step.callback_id = $2
  JOIN flow_run ON flow_run.channel_id = flow_step.channel_id
    AND flow_run.message_id = flow_step.message_id AND flow_run.revision = flow_step.revision
  LEFT JOIN channel_message ON channel_message.channel_id = flow_step.channel_id
    AND channel_message.message_id = flow_step.message_id
  LEFT JOIN app_instance_user AS sender ON sender.user_id = channel_message.sender_id
  LEFT JOIN app_instance_user AS target ON target.user_id = channel_message.target_id
  WHERE channel.channel_arn = $1`

/** The turn of the step with this CallbackId, or undefined where the channel has none. */
export async function findTurn(read: Reader, channelArn: string, callbackId: string): Promise<ReadTurn | undefined> {
  const row = await read.get<Record<string, Value>>(turnText, channelArn, callbackId)
  if (!row) return undefined
  const { channel_arn = null, sender_arn = null, target_arn = null } = row
  const isThere = row.channel_message__message_id !== null
  const message = { channel_arn, sender_arn, target_arn }
  return {
    step: rowOf('flow_step', stepColumns, row, { channel_arn }) as unknown as StepRow,
    run: rowOf('flow_run', runColumns, row, { channel_arn }) as unknown as RunRow,
    message: isThere ? (rowOf('channel_message', messageColumns, row, message) as unknown as MessageRow) : undefined,
  }
}

/** The columns of one table; `own` has what was joined to it. */
function rowOf(
  table: string,
  columns: string[],
  row: Record<string, Value>,
  own: Record<string, Value>,
): Record<string, Value> {
  for (const column of columns) own[column] = row[`${table}__${column}`] ?? null
  return own
}
