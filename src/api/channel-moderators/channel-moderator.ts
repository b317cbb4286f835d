import type { Transaction } from '../../store/store.ts'
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
