import type { Transaction, Value } from '../store/store.ts'

/** Where a sweep continues: behind this channel. */
export interface SweepCursor {
  after: number
}

/** Deletes the oldest rows of one channel after another. */
interface Sweep {
  /** The channels behind the number $1 in the order of their numbers, at most $2, each with the time of its oldest row. */
  channels: string
  /** From $3 on. */
  values?: readonly Value[]
  channelsMax: number
  rowsMax: number
  /** Rows from this time on stay. */
  before: number
  /** Returns how many rows it has deleted. */
  deleteOldest(channelId: number, rowsMax: number): Promise<number>
}

/** One piece; without a cursor the first. Returns where to continue; undefined behind the last channel. */
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
