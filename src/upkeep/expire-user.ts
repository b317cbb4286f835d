import type { AppInstanceUserRow } from '../api/app-instance-users/app-instance-user.ts'
import { markUserDeleted } from '../api/app-instance-users/mark-user-deleted.ts'
import { userExpiresAt } from '../api/app-instance-users/user-expiration.ts'
import type { Kind } from './kind.ts'

/** The check of a user's expiration settings. */
export const expireUser: Kind = {
  kind: 'expire-user',
  done: 'a user has expired and is deleted',
  async piece(transaction, work, now) {
    const text = 'SELECT * FROM app_instance_user WHERE user_id = $1 AND deleted_at IS NULL'
    const user = await transaction.get<AppInstanceUserRow>(text, Number(work.subject))
    const expiresAt = user && userExpiresAt(user)
    if (!user || expiresAt === undefined) return { state: 'done', unchanged: true }
    if (expiresAt > now) return { state: 'later', dueAt: expiresAt }
    await markUserDeleted(transaction, user, now)
    return { state: 'done' }
  },
}
