import type { Transaction } from '../../store/store.ts'
import { requireWithinQuota } from '../quotas.ts'
import type { AppInstanceUserRow } from './app-instance-user.ts'

interface NewUser {
  arn: string
  appInstanceArn: string
  /** As the row has them. */
  name: string
  metadata: string | null
  expirationDays?: number | undefined
}

/** Inserts the user's row. Throws a ResourceLimitExceeded if the AppInstance has too many users. */
export async function addUser(transaction: Transaction, user: NewUser, now: number): Promise<void> {
  const created: Omit<AppInstanceUserRow, 'user_id'> = {
    app_instance_user_arn: user.arn,
    app_instance_arn: user.appInstanceArn,
    name: user.name,
    metadata: user.metadata,
    memberships: 0,
    created_at: now,
    updated_at: now,
    expiration_days: user.expirationDays ?? null,
  }
  await transaction.insert('app_instance_user', created)
  requireWithinQuota('usersPerAppInstance', await countUser(transaction, user.appInstanceArn))
}

/** Returns the new number of users of the AppInstance. */
async function countUser(transaction: Transaction, appInstanceArn: string): Promise<number> {
  const text = 'UPDATE app_instance SET users = users + 1 WHERE app_instance_arn = $1 RETURNING users'
  return (await transaction.get<{ users: number }>(text, appInstanceArn))?.users ?? 0
}
