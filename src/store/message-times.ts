/**
 * In SQL: the number at which the messages of a channel that were created at this time or later begin. `channelId` and
 * `time` are placeholders.
 *
 * In a channel the time grows with the number, so the number is found by bisection: 20 steps in a million messages. An
 * index by time would find it in one, but costs every message a write for lists that are rare.
 */
export function firstSeqSince(channelId: string, time: string): string {
  // Behind the first message at the middle or after it, if that one is too early; else null. Written twice, since SQLite
  // takes no subquery between a recursive term and its table.
  const later = `(
    SELECT CASE WHEN created_at < ${time} THEN seq + 1 END FROM channel_message
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
