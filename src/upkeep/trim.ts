import { dayMs } from '../api/times.ts'
import type { Transaction } from '../store/store.ts'
import { deleteRuns, runIsOver } from './delete-runs.ts'
import { cursorOf, type Kind } from './kind.ts'
import { type SweepCursor, sweepChannels } from './sweep.ts'

/** How long the log of a channel is kept, with the runs and steps of its messages. */
export const traceDays = 30
/** Maximum of events that one piece deletes. Each may also have a run and steps. */
const eventsMax = 60
/** Maximum of channels that one piece reads. */
const channelsMax = 250

const channels = `SELECT channel_id, (SELECT created_at FROM channel_log
    WHERE channel_log.channel_id = channel_head.channel_id ORDER BY seq LIMIT 1) AS oldest_at
  FROM channel_head WHERE channel_id > $1 ORDER BY channel_id LIMIT $2`

/**
 * Trims the logs of all channels, and deletes ended runs. Each run is found by its events in the log: the one of its start
 * and the one of its end.
 */
export const trim: Kind = {
  kind: 'trim',
  everyMs: dayMs,
  done: 'old events, runs and steps are deleted',
  isOften: true,
  async piece(transaction, work, now) {
    const before = now - traceDays * dayMs
    const cursor = await sweepChannels(transaction, cursorOf<SweepCursor>(work), {
      channels,
      channelsMax,
      rowsMax: eventsMax,
      before,
      deleteOldest: (channelId, rowsMax) => trimLog(transaction, channelId, before, rowsMax),
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
