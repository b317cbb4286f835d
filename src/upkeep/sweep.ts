import type { Transaction, Value } from '../store/store.ts'

/** The cursor of a sweep: it continues after this channel. */
export interface SweepCursor {
  after: number
}

/** The time of the channel's oldest row, and the time from which on its rows stay. */
interface SweptChannel {
  channel_id: number
  oldest_at: number | null
  kept_since: number
}

/** Deletes the oldest rows, channel by channel. */
interface Sweep {
  /** The channels after the number $1, in the order of their numbers, at most $2, as SweptChannel. */
  channels: string
  /** The values of $3 and further placeholders. */
  values: readonly Value[]
  channelsMax: number
  rowsMax: number
  /** Deletes rows from before this time. Returns their number. */
  deleteOldest(channelId: number, before: number, rowsMax: number): Promise<number>
}

/** Does one piece; without a cursor the first one. Returns the next cursor; undefined after the last channel. */
export async function sweepChannels(
  transaction: Transaction,
  cursor: SweepCursor | undefined,
  { channels: text, values, channelsMax, rowsMax, deleteOldest }: Sweep,
): Promise<SweepCursor | undefined> {
  const after = cursor?.after ?? 0
  const channels = await transaction.all<SweptChannel>(text, after, channelsMax, ...values)
  let left = rowsMax
  let done = after
  for (const { channel_id, oldest_at, kept_since } of channels) {
    if (oldest_at !== null && oldest_at < kept_since) {
      left -= await deleteOldest(channel_id, kept_since, left)
      if (left === 0) return { after: done }
    }
    done = channel_id
  }
  return channels.length === channelsMax ? { after: done } : undefined
}
