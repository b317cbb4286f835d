/**
 * In SQL: the number at which the messages of a channel that were created at this time or later begin. `channelId` and
 * `time` are placeholders.
 *
 * In a channel the time grows with the number, so the number is found by bisection: 20 steps in a million messages. An
 * index by time would answer in one, but costs every message a write that few lists ever need.
 */
export const firstSeqSince = (channelId: string, time: string): string => `(
  WITH RECURSIVE search (low, high) AS (
    SELECT 0, next_seq FROM channel_head WHERE channel_id = ${channelId}
    UNION ALL
    SELECT coalesce(later_low, low), CASE WHEN later_low IS NULL THEN (low + high) / 2 ELSE high END
    FROM (
      SELECT low, high, (
        SELECT CASE WHEN created_at < ${time} THEN seq + 1 END FROM channel_message
        WHERE channel_id = ${channelId} AND seq >= (low + high) / 2 AND seq < high ORDER BY seq LIMIT 1
      ) AS later_low
      FROM search WHERE low < high
    ) AS step
  )
  SELECT low FROM search WHERE low >= high)`
