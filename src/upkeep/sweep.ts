import type { Transaction, Value } from '../store/store.ts'

/** The cursor of a sweep: it continues after this channel. */
export interface SweepCursor {
  after: number
}

/** Deletes the oldest rows, channel by channel. */
interface Sweep {
  /** The channels after the number $1, in the order of their numbers, at most $2, each with the time of its oldest row. */
  channels: string
  /** The values of $3 and further placeholders. */
  values?: readonly Value[]
  channelsMax: number
  rowsMax: number
  /** Rows that are not older than this time stay. */
  before: number
  /** Returns the number of rows that it deleted. */
  deleteOldest(channelId: number, rowsMax: number): Promise<number>
}

/** Does one piece; without a cursor the first one. Returns the next cursor; undefined after the last channel. */
export async function sweepChannels(
  transaction: Transaction,
  cursor: SweepCursor | undefined,
  { channels: text, values = [], channelsMax, rowsMax, before, deleteOldest }: Sweep,
): Promise<SweepCursor | undefined> {
  const after = cursor?.after ?? 0
  const channels = await transaction.all<{ channel_id: number; oldest_at: number | null }>(
    text,
    after,
    channelsMax,
    ...values,
  )
  let left = rowsMax
  let done = after
  for (const { channel_id, oldest_at } of channels) {
    if (oldest_at !== null && oldest_at < before) {
      left -= await deleteOldest(channel_id, left)
      if (left === 0) return { after: done }
    }
    done = channel_id
  }
  return channels.length === channelsMax ? { after: done } : undefined
}
