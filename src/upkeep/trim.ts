import { traceDays } from '../api/app-instances/flow-policy.ts'
import { dayMs } from '../api/times.ts'
import type { Transaction } from '../store/store.ts'
import { deleteRuns, runIsOver } from './delete-runs.ts'
import { cursorOf, type Kind } from './kind.ts'
import { type SweepCursor, sweepChannels } from './sweep.ts'

/** Maximum of events that one piece deletes. Each may also have a run and steps. */
const eventsMax = 60
/** Maximum of channels that one piece reads. */
const channelsMax = 250

const channels = `SELECT head.channel_id, (SELECT created_at FROM channel_log
    WHERE channel_log.channel_id = head.channel_id ORDER BY seq LIMIT 1) AS oldest_at,
    CAST($3 AS BIGINT) - coalesce(app_instance.trace_days, ${traceDays}) * CAST(${dayMs} AS BIGINT) AS kept_since
  FROM channel_head AS head
  LEFT JOIN channel ON channel.channel_id = head.channel_id
  LEFT JOIN app_instance ON app_instance.app_instance_arn = channel.app_instance_arn
  WHERE head.channel_id > $1 ORDER BY head.channel_id LIMIT $2`

/**
 * Trims the logs of all channels, and deletes ended runs, after the days that the AppInstance has set. Each run is found by its events in the log: the one of its start
 * and the one of its end.
 */
export const trim: Kind = {
  kind: 'trim',
  everyMs: dayMs,
  done: 'old events, runs and steps are deleted',
  isOften: true,
  async piece(transaction, work, now) {
    const cursor = await sweepChannels(transaction, cursorOf<SweepCursor>(work), {
      channels,
      values: [now],
      channelsMax,
      rowsMax: eventsMax,
      deleteOldest: (channelId, before, rowsMax) => trimLog(transaction, channelId, before, rowsMax),
    })
    return cursor ? { state: 'more', cursor } : { state: 'done' }
  },
}

/** Deletes the oldest events first. Returns their number. */
async function trimLog(
  transaction: Transaction,
  channelId: number,
  before: number,
  eventsMax: number,
): Promise<number> {
  const oldest = await transaction.all<{ seq: number; created_at: number }>(
    'SELECT seq, created_at FROM channel_log WHERE channel_id = $1 ORDER BY seq LIMIT $2',
    channelId,
    eventsMax,
  )
  const younger = oldest.findIndex(({ created_at }) => created_at >= before)
  const past = younger < 0 ? oldest : oldest.slice(0, younger)
  const last = past.at(-1)
  if (!last) return 0
  const runsOfThem = `(message_id, revision) IN (
    SELECT subject, channel_log.revision FROM channel_log WHERE channel_id = $1 AND seq <= $2)
    AND (ended_at IS NULL OR ended_at < $3) AND ${runIsOver}`
  await deleteRuns(transaction, channelId, runsOfThem, last.seq, before)
  await transaction.run('DELETE FROM channel_log WHERE channel_id = $1 AND seq <= $2', channelId, last.seq)
  return past.length
}
