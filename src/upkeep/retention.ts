import { findRetention, keptSince } from '../api/app-instances/retention.ts'
import { dayMs } from '../api/times.ts'
import type { Transaction } from '../store/store.ts'
import type { RunRow } from '../store/tables.ts'
import { deleteRuns } from './delete-runs.ts'
import { cursorOf, type Kind } from './kind.ts'
import { type SweepCursor, sweepChannels } from './sweep.ts'

/** The interval at which messages past the limit are deleted, after the grace period. */
const sweepEveryMs = dayMs
/** Maximum of messages that one piece deletes. Each may also have a run and steps. */
const messagesMax = 100
/** Maximum of channels that one piece reads. */
const channelsMax = 100

const channels = `SELECT channel_id, (SELECT created_at FROM channel_message
    WHERE channel_message.channel_id = channel_view.channel_id ORDER BY seq LIMIT 1) AS oldest_at,
    CAST($4 AS BIGINT) AS kept_since
  FROM channel_view WHERE app_instance_arn = $3 AND channel_id > $1 ORDER BY channel_id LIMIT $2`

/**
 * Deletes the messages of an AppInstance that are past its limit, channel by channel. They were hidden before. There is no
 * event, and the time of the channel's last message does not change.
 */
export const retention: Kind = {
  kind: 'retention',
  done: 'messages are kept for ever again',
  async piece(transaction, work, now) {
    const row = await findRetention(transaction, work.subject)
    if (!row || row.retention_days === null || row.deletes_from === null) return { state: 'done', unchanged: true }
    if (row.deletes_from > now) return { state: 'later', dueAt: row.deletes_from }
    const cursor = await sweepChannels(transaction, cursorOf<SweepCursor>(work), {
      channels,
      values: [work.subject, keptSince(row, now)],
      channelsMax,
      rowsMax: messagesMax,
      deleteOldest: (channelId, since, rowsMax) => deleteMessages(transaction, channelId, { since, rowsMax, now }),
    })
    return cursor ? { state: 'more', cursor } : { state: 'later', dueAt: now + sweepEveryMs }
  },
}

/** Deletes the oldest first. Returns their number. */
async function deleteMessages(
  transaction: Transaction,
  channelId: number,
  { since, rowsMax, now }: { since: number; rowsMax: number; now: number },
): Promise<number> {
  const oldest = await transaction.all<{ seq: number; created_at: number }>(
    'SELECT seq, created_at FROM channel_message WHERE channel_id = $1 ORDER BY seq LIMIT $2',
    channelId,
    rowsMax,
  )
  // In a channel the time increases with the number.
  const past = oldest.filter(({ created_at }) => created_at < since)
  const last = past.at(-1)
  if (!last) return 0
  const runsOfThem = `message_id IN (SELECT message_id FROM channel_message WHERE channel_id = $1 AND seq <= $2)`
  const text = `SELECT * FROM flow_run WHERE channel_id = $1 AND state = 'RUNNING' AND ${runsOfThem}`
  for (const run of await transaction.all<RunRow>(text, channelId, last.seq)) await transaction.endStep(run, now)
  await deleteRuns(transaction, channelId, runsOfThem, last.seq)
  await transaction.run('DELETE FROM channel_message WHERE channel_id = $1 AND seq <= $2', channelId, last.seq)
  transaction.erasesText()
  return past.length
}
