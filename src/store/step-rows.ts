import { messageColumns, runColumns, stepColumns } from './columns.ts'
import { compileMaker, type Row } from './row-maker.ts'
import { shardOf } from './shards.ts'
import { everyOwner, stepIsOpen } from './steps.ts'
import type { Reader } from './store.ts'
import type { Job, MessageRow, RunRow, StepRow } from './tables.ts'

/** The rows of a step, its run and its message. A message that was denied or is NON_PERSISTENT may have no row. */
export interface StepRows {
  step: StepRow
  run: RunRow
  message: MessageRow | undefined
}

/** The columns of a table, with its name in their aliases: three tables have columns of the same name. */
const aliasesOf = (table: string, columns: readonly string[]) =>
  columns.map((column) => ({ column, selected: `${table}.${column}`, alias: `${table}__${column}` }))

const stepAliases = aliasesOf('flow_step', stepColumns)
const runAliases = aliasesOf('flow_run', runColumns)
const messageAliases = aliasesOf('channel_message', messageColumns)

const selected = [...stepAliases, ...runAliases, ...messageAliases]
  .map(({ selected, alias }) => `${selected} AS ${alias}`)
  .join(', ')

/** One statement for the three rows: a callback is a round trip to PostgreSQL, not three. */
const rowsText = `SELECT ${selected},
    channel_head.channel_arn, sender.app_instance_user_arn AS sender_arn, target.app_instance_user_arn AS target_arn
  FROM channel_head
  JOIN flow_step ON flow_step.channel_id = channel_head.channel_id AND flow_step.callback_id = $2
  JOIN flow_run ON flow_run.channel_id = flow_step.channel_id
    AND flow_run.message_id = flow_step.message_id AND flow_run.revision = flow_step.revision
  LEFT JOIN channel_message ON channel_message.channel_id = flow_step.channel_id
    AND channel_message.message_id = flow_step.message_id
  LEFT JOIN app_instance_user AS sender ON sender.user_id = channel_message.sender_id
  LEFT JOIN app_instance_user AS target ON target.user_id = channel_message.target_id
  WHERE channel_head.channel_arn = $1 AND channel_head.deleted_at IS NULL`

/** Makes the row of one table, with the joined columns. */
const tableMaker = <TableRow>(aliases: ReturnType<typeof aliasesOf>, ...joined: string[]) =>
  compileMaker<Row, TableRow>([
    ...aliases.map(({ column, alias }) => [column, alias] as const),
    ...joined.map((column) => [column, column] as const),
  ])

const stepOf = tableMaker<StepRow>(stepAliases, 'channel_arn')
const runOf = tableMaker<RunRow>(runAliases, 'channel_arn')
const messageOf = tableMaker<MessageRow>(messageAliases, 'channel_arn', 'sender_arn', 'target_arn')

/** The rows of the channel's step with this CallbackId; undefined if there is none. */
export async function findStepRows(
  read: Reader,
  channelArn: string,
  callbackId: string,
): Promise<StepRows | undefined> {
  const row = await read.get<Row>(rowsText, channelArn, callbackId)
  if (!row) return undefined
  return rowsOf(row)
}

/**
 * Only the index of open steps bounds the rows that are read, by owner and shard: the other indexes contain every message
 * that was ever sent. A column in an expression (`+ 0`) prevents their use. SQLite keeps the order of a CROSS JOIN: for
 * steps of other senders it only looks up the message.
 */
const heldText = `WITH RECURSIVE ${everyOwner('owners')}
  SELECT ${selected},
    channel_head.channel_arn, sender.app_instance_user_arn AS sender_arn, target.app_instance_user_arn AS target_arn
  FROM owners CROSS JOIN flow_step CROSS JOIN channel_message CROSS JOIN flow_run CROSS JOIN channel_head
  CROSS JOIN app_instance_user AS sender LEFT JOIN app_instance_user AS target ON target.user_id = channel_message.target_id
  WHERE flow_step.owner = owners.owner AND flow_step.shard = $1 AND flow_step.${stepIsOpen}
    AND flow_step.channel_id + 0 = $2
    AND channel_message.channel_id = flow_step.channel_id AND channel_message.message_id = flow_step.message_id
    AND channel_message.sender_id = $3 AND sender.user_id = channel_message.sender_id
    AND flow_run.channel_id = flow_step.channel_id AND flow_run.message_id = flow_step.message_id
    AND flow_run.revision = flow_step.revision
    AND channel_head.channel_id = flow_step.channel_id AND channel_head.deleted_at IS NULL
  LIMIT $4`

/** The jobs of this sender's held messages and updates in the channel, at most `jobsMax`. */
export async function findHeld(read: Reader, channelId: number, senderId: number, jobsMax: number): Promise<Job[]> {
  const rows = await read.all<Row>(heldText, shardOf(channelId), channelId, senderId, jobsMax)
  return rows.map((row) => rowsOf(row) as Job)
}

function rowsOf(row: Row): StepRows {
  const message = row.channel_message__message_id === null ? undefined : messageOf(row)
  return { step: stepOf(row), run: runOf(row), message }
}
