import { markChannelDeleted } from '../api/channels/mark-channel-deleted.ts'
import type { Transaction } from '../store/store.ts'
import type { ChannelRow } from '../store/tables.ts'
import { cursorOf, type Kind, type PieceEnd, sessionsAfterMs } from './kind.ts'
import { logKeepMs } from './purge-channel.ts'

/** Maximum of channels that one piece deletes. Each takes about ten writes; its purge is separate work. */
const channelsMax = 25
/** Maximum of users that one piece deletes. */
const usersMax = 100

interface Cursor {
  /** The second pass finds rows that calls in progress have created. */
  pass: 'first' | 'second'
  step: 'channels' | 'users'
  after: number
}

/** Deletes the channels and users of a deleted AppInstance. Sessions close after they have received DELETE_CHANNEL. */
export const removeAppInstance = (announceChange: (userArn: string) => void): Kind => ({
  kind: 'remove-app-instance',
  done: 'the channels and users of a deleted AppInstance are deleted',
  async piece(transaction, work, now) {
    const cursor = cursorOf<Cursor>(work) ?? { pass: 'first', step: 'channels', after: 0 }
    if (cursor.step === 'channels') return deleteChannels(transaction, work.subject, cursor, now)
    return deleteUsers(transaction, work.subject, { cursor, now, announceChange })
  },
})

async function deleteChannels(
  transaction: Transaction,
  appInstanceArn: string,
  cursor: Cursor,
  now: number,
): Promise<PieceEnd> {
  const channels = await transaction.all<ChannelRow>(
    'SELECT * FROM channel_view WHERE app_instance_arn = $1 AND channel_id > $2 ORDER BY channel_id LIMIT $3',
    appInstanceArn,
    cursor.after,
    channelsMax,
  )
  for (const channel of channels) await markChannelDeleted(transaction, channel, now)
  const last = channels.at(-1)
  if (last) return { state: 'more', cursor: { ...cursor, after: last.channel_id } }
  return { state: 'later', dueAt: now + sessionsAfterMs, cursor: { ...cursor, step: 'users', after: 0 } }
}

/** Deletes users in bulk. Unlike DeleteAppInstanceUser, it need not remove memberships and roles: the channels are deleted. */
async function deleteUsers(
  transaction: Transaction,
  appInstanceArn: string,
  { cursor, now, announceChange }: { cursor: Cursor; now: number; announceChange(userArn: string): void },
): Promise<PieceEnd> {
  const users = await transaction.all<{ user_id: number; app_instance_user_arn: string }>(
    `SELECT user_id, app_instance_user_arn FROM app_instance_user
     WHERE app_instance_arn = $1 AND deleted_at IS NULL AND user_id > $2 ORDER BY user_id LIMIT $3`,
    appInstanceArn,
    cursor.after,
    usersMax,
  )
  const text = `UPDATE app_instance_user SET deleted_at = $2, name = '""', metadata = NULL WHERE user_id = $1`
  for (const { user_id, app_instance_user_arn } of users) {
    await transaction.run(text, user_id, now)
    await transaction.run('DELETE FROM tag WHERE resource_arn = $1', app_instance_user_arn)
  }
  transaction.erasesText()
  const last = users.at(-1)
  if (last) {
    const afterCommit = () => {
      for (const { app_instance_user_arn } of users) announceChange(app_instance_user_arn)
    }
    return { state: 'more', cursor: { ...cursor, after: last.user_id }, afterCommit }
  }
  if (cursor.pass === 'second') return { state: 'done' }
  return { state: 'later', dueAt: now + logKeepMs, cursor: { pass: 'second', step: 'channels', after: 0 } }
}
