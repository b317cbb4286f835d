import type { Transaction } from '../../store/store.ts'
import type { ChannelRow } from '../../store/tables.ts'
import { cancelWork, scheduleWork } from '../../store/work.ts'
import { append } from '../events/append.ts'
import { deleteChannel } from '../events/delete-channel.ts'

/**
 * Marks the channel as deleted for all reads and writes, and notifies its members. Background work purges its rows. Returns
 * false if it is deleted already. The operation, its expiry and the deletion of its AppInstance call it.
 *
 * Run it at READ COMMITTED. Every send updates the head: at SERIALIZABLE, a deletion would never commit during steady sends.
 */
export async function markChannelDeleted(transaction: Transaction, channel: ChannelRow, now: number): Promise<boolean> {
  const { channel_id, channel_arn } = channel
  const subject = String(channel_id)
  // Before the head, in lock order: a piece of its expiry locks the row of the work first.
  await cancelWork(transaction, { kind: 'expire-channel', subject })
  // From here on no other write takes a number of this channel log.
  const lock = 'UPDATE channel_head SET members = 0 WHERE channel_id = $1 AND deleted_at IS NULL'
  if ((await transaction.run(lock, channel_id)) === 0) return false
  await append(transaction, deleteChannel, channel, now)
  await transaction.run('UPDATE channel_head SET deleted_at = $2 WHERE channel_id = $1', channel_id, now)
  await transaction.run('DELETE FROM tag WHERE resource_arn = $1', channel_arn)
  await scheduleWork(transaction, { kind: 'purge-channel', subject }, now)
  return true
}
