import { channelExpiresAt } from '../api/channels/channel-expiration.ts'
import { markChannelDeleted } from '../api/channels/mark-channel-deleted.ts'
import type { ChannelRow } from '../store/tables.ts'
import type { Kind } from './kind.ts'

/**
 * The check of a channel's expiration settings. It was scheduled when the settings were stored. Messages do not reschedule
 * it: the check reads the time of the last one and reschedules itself.
 */
export const expireChannel: Kind = {
  kind: 'expire-channel',
  done: 'a channel has expired and is deleted',
  async piece(transaction, work, now) {
    const channelId = Number(work.subject)
    // Locks the head: a message that arrives now waits until the channel is deleted or this check is rescheduled.
    const lock = 'UPDATE channel_head SET members = members WHERE channel_id = $1 AND deleted_at IS NULL'
    await transaction.run(lock, channelId)
    const channel = await transaction.get<ChannelRow>('SELECT * FROM channel_view WHERE channel_id = $1', channelId)
    const expiresAt = channel && channelExpiresAt(channel)
    if (!channel || expiresAt === undefined) return { state: 'done', unchanged: true }
    if (expiresAt > now) return { state: 'later', dueAt: expiresAt }
    await markChannelDeleted(transaction, channel, now)
    return { state: 'done' }
  },
}
