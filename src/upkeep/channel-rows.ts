import { stepIsOpen } from '../store/steps.ts'
import type { Transaction, Value } from '../store/store.ts'
import type { StepRow } from '../store/tables.ts'

/** A table whose rows belong to one channel each. */
export interface ChannelTable {
  table: string
  /** The columns of its key after channel_id. */
  key: readonly string[]
  /**
   * The cost of deleting a row, in rows written. It is twice as much where the rows have random ids: in the table or in its
   * index, each of them is on another page.
   */
  cost: number
  /** Whether the rows hold a text of a caller. */
  hasText: boolean
  /** Called before the rows are deleted. */
  before?(transaction: Transaction, channelId: number, keys: Key[], now: number): Promise<void>
}

/** The values of a row's key after channel_id. */
type Key = Value[]

/** The tables of a channel without its head and its log. Steps first: afterwards no step waits for a verdict. */
export const channelTables: readonly ChannelTable[] = [
  { table: 'flow_step', key: ['callback_id'], cost: 2, hasText: false, before: endSteps },
  { table: 'flow_run', key: ['message_id', 'revision'], cost: 2, hasText: true },
  { table: 'channel_message', key: ['seq'], cost: 2, hasText: true },
  { table: 'channel_membership', key: ['member_id'], cost: 2, hasText: false, before: uncountMemberships },
  { table: 'channel_moderator', key: ['moderator_id'], cost: 1, hasText: false },
  { table: 'channel_ban', key: ['member_id'], cost: 1, hasText: false },
  { table: 'channel', key: ['channel_id'], cost: 1, hasText: true },
]

export const channelLog: ChannelTable = { table: 'channel_log', key: ['seq'], cost: 1, hasText: false }

/**
 * Deletes the channel's first rows in the order of their keys, those after the cursor `after` if it is set: the index still
 * has the deleted rows, and PostgreSQL would read each of them again. Returns the keys.
 */
export async function deleteRows(
  transaction: Transaction,
  channelId: number,
  { table, key, hasText, before }: ChannelTable,
  { after, rowsMax, now }: { after: Key | undefined; rowsMax: number; now: number },
): Promise<Key[]> {
  const columns = key.join(', ')
  const behind = after ? ` AND (${columns}) > (${placeholders(key, 2)})` : ''
  const where = `WHERE channel_id = $1${behind}`
  const first = `SELECT ${columns} FROM ${table} ${where} ORDER BY ${columns} LIMIT ${rowsMax}`
  const rows = await transaction.all<Record<string, Value>>(first, channelId, ...(after ?? []))
  const keys = rows.map((row) => key.map((column) => row[column] as Value))
  const last = keys.at(-1)
  if (!last) return []
  await before?.(transaction, channelId, keys, now)
  const through = ` AND (${columns}) <= (${placeholders(key, 2 + (after?.length ?? 0))})`
  await transaction.run(`DELETE FROM ${table} ${where}${through}`, channelId, ...(after ?? []), ...last)
  if (hasText) transaction.erasesText()
  return keys
}

const placeholders = (key: readonly string[], from: number) => key.map((_, index) => `$${from + index}`).join(', ')

/** The engine that has such a step must stop waiting for its verdict. */
async function endSteps(transaction: Transaction, channelId: number, keys: Key[], now: number): Promise<void> {
  const [first, last] = [keys[0]?.[0], keys.at(-1)?.[0]] as [Value, Value]
  const text = `SELECT channel_id, callback_id FROM flow_step
    WHERE channel_id = $1 AND callback_id >= $2 AND callback_id <= $3 AND ${stepIsOpen}`
  const open = await transaction.all<Pick<StepRow, 'channel_id' | 'callback_id'>>(text, channelId, first, last)
  for (const step of open) await transaction.endStep(step, now)
}

/** In the order of the users: every write that counts memberships locks users in this order. */
async function uncountMemberships(transaction: Transaction, _channelId: number, keys: Key[]): Promise<void> {
  const text = 'UPDATE app_instance_user SET memberships = memberships - 1 WHERE user_id = $1'
  for (const [memberId] of keys) await transaction.run(text, memberId as Value)
}
