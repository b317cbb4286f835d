import type { Reader, Transaction } from '../../store/store.ts'
import type { NamedUser } from '../app-instance-users/app-instance-user.ts'

/** Who becomes a moderator of which channel, and by whom. */
interface NewModerator {
  channel_id: number
  moderator: NamedUser
  createdBy: NamedUser
  now: number
}

/** Returns whether the user was no moderator of the channel yet. */
export const insertModerator = (
  transaction: Transaction,
  { channel_id, moderator, createdBy, now }: NewModerator,
): Promise<boolean> =>
  transaction.insertOnce('channel_moderator', {
    channel_id,
    moderator_id: moderator.user_id,
    created_by_arn: createdBy.app_instance_user_arn,
    created_by_name: createdBy.name,
    created_at: now,
  })

/** A moderator, with the name that it has now. */
export interface ModeratorRow extends NamedUser {
  created_by_arn: string
  created_by_name: string
  created_at: number
}

export const findModerator = (read: Reader, channelId: number, arn: string): Promise<ModeratorRow | undefined> =>
  read.get(
    `SELECT user_id, app_instance_user_arn, name, created_by_arn, created_by_name, channel_moderator.created_at
     FROM app_instance_user JOIN channel_moderator ON moderator_id = user_id
     WHERE app_instance_user_arn = $2 AND deleted_at IS NULL AND channel_id = $1`,
    channelId,
    arn,
  )
