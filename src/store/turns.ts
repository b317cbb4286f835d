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
    ${aliased('channel_message', messageColumns)}
  FROM flow_step
  JOIN flow_run ON flow_run.channel_arn = flow_step.channel_arn
    AND flow_run.message_id = flow_step.message_id AND flow_run.revision = flow_step.revision
  LEFT JOIN channel_message ON channel_message.channel_arn = flow_step.channel_arn
    AND channel_message.message_id = flow_step.message_id
  WHERE flow_step.channel_arn = $1 AND flow_step.callback_id = $2`

/** The turn of the step with this CallbackId, or undefined where the channel has none. */
export async function findTurn(read: Reader, channelArn: string, callbackId: string): Promise<ReadTurn | undefined> {
  const row = await read.get<Record<string, Value>>(turnText, channelArn, callbackId)
  if (!row) return undefined
  const message = rowOf('channel_message', messageColumns, row) as unknown as MessageRow
  return {
    step: rowOf('flow_step', stepColumns, row) as unknown as StepRow,
    run: rowOf('flow_run', runColumns, row) as unknown as RunRow,
    message: message.message_id === null ? undefined : message,
  }
}

function rowOf(table: string, columns: string[], row: Record<string, Value>): Record<string, Value> {
  const own: Record<string, Value> = {}
  for (const column of columns) own[column] = row[`${table}__${column}`] ?? null
  return own
}
