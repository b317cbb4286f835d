/** The tables whose rows have a number of the channel log. */
export type NumberedTable = 'channel_message' | 'channel_log'

/**
 * In SQL: the number of the first message, or event, of a channel that was created at this time or later. `channelId` and
 * `time` are placeholders.
 *
 * In a channel the time increases with the number, so a bisection finds the number: 20 steps for a million messages. An
 * index by time would need one step, but it would cost every message a write, for lists that are rare.
 */
export function firstSeqSince(channelId: string, time: string, table: NumberedTable = 'channel_message'): string {
  // The number after the first message at or after the middle if that message is too early, else null. The text is used
  // twice, because SQLite allows no subquery between a recursive term and its table.
  const later = `(
    SELECT CASE WHEN created_at < ${time} THEN seq + 1 END FROM ${table}
    WHERE channel_id = ${channelId} AND seq >= (low + high) / 2 AND seq < high ORDER BY seq LIMIT 1)`
  return `(
    WITH RECURSIVE search (low, high) AS (
      SELECT CAST(0 AS BIGINT), next_seq FROM channel_head WHERE channel_id = ${channelId}
      UNION ALL
      SELECT coalesce(${later}, low), CASE WHEN ${later} IS NULL THEN (low + high) / 2 ELSE high END
      FROM search WHERE low < high
    )
    SELECT low FROM search WHERE low >= high)`
}
