import type { Transaction, Value } from '../store/store.ts'
import type { WorkRow } from '../store/work.ts'
import { channelLog, channelTables, deleteRows } from './channel-rows.ts'
import { cursorOf, type Kind, type PieceEnd, pieceRowsMax } from './kind.ts'

/** How long the log of a deleted channel is kept: a node that was disconnected reads DELETE_CHANNEL there, in order. */
export const logKeepMs = 3_600_000

interface Cursor {
  /** `rows`: the rows of the channel, at once. `log`: later its log, and rows of writes that were in progress. */
  pass: 'rows' | 'log'
  table: number
  after?: Value[]
}

/** Deletes the rows of a deleted channel. The head row stays, as a tombstone. */
export const purgeChannel: Kind = {
  kind: 'purge-channel',
  done: 'the rows of a deleted channel are purged',
  isOften: true,
  async piece(transaction, work, now) {
    const channelId = Number(work.subject)
    const cursor = await deleteSome(transaction, channelId, cursorOf<Cursor>(work) ?? { pass: 'rows', table: 0 }, now)
    if (cursor) return { state: 'more', cursor }
    return nextPass(transaction, work, channelId, now)
  },
}

/** Returns the next cursor; undefined at the end of the pass. */
async function deleteSome(
  transaction: Transaction,
  channelId: number,
  cursor: Cursor,
  now: number,
): Promise<Cursor | undefined> {
  const { pass } = cursor
  const tables = pass === 'rows' ? channelTables : [...channelTables, channelLog]
  let { table: index, after } = cursor
  let left = pieceRowsMax
  for (let table = tables[index]; table; table = tables[index]) {
    const rowsMax = Math.floor(left / table.cost)
    if (rowsMax === 0) return { pass, table: index, ...(after && { after }) }
    const keys = await deleteRows(transaction, channelId, table, { after, rowsMax, now })
    left -= keys.length * table.cost
    const isEmpty = keys.length < rowsMax
    after = isEmpty ? undefined : keys.at(-1)
    if (isEmpty) index += 1
  }
  return undefined
}

async function nextPass(transaction: Transaction, work: WorkRow, channelId: number, now: number): Promise<PieceEnd> {
  const isLast = cursorOf<Cursor>(work)?.pass === 'log'
  if (isLast) return { state: 'done' }
  const text = 'SELECT deleted_at FROM channel_head WHERE channel_id = $1'
  const head = await transaction.get<{ deleted_at: number }>(text, channelId)
  return { state: 'later', dueAt: (head?.deleted_at ?? now) + logKeepMs, cursor: { pass: 'log', table: 0 } }
}
