import type { Transaction } from '../../store/store.ts'
import { cancelWork, scheduleWork } from '../../store/work.ts'
import type { AppInstanceUserRow } from './app-instance-user.ts'

/**
 * Marks the user as deleted for all reads and writes. Background work removes its memberships and roles, and then closes its
 * sessions. Rows that have its ARN are deleted at once: the next incarnation must not have them. Returns false if the user
 * is deleted already. The operation and the expiry of users call it.
 */
export async function markUserDeleted(
  transaction: Transaction,
  user: AppInstanceUserRow,
  now: number,
): Promise<boolean> {
  const { user_id, app_instance_user_arn: arn, app_instance_arn: appInstanceArn } = user
  const subject = String(user_id)
  // Before the user, in lock order: a piece of its expiry locks the row of the work first.
  await cancelWork(transaction, { kind: 'expire-user', subject })
  const mark = 'UPDATE app_instance_user SET deleted_at = $2 WHERE user_id = $1 AND deleted_at IS NULL'
  if ((await transaction.run(mark, user_id, now)) === 0) return false
  await transaction.run('UPDATE app_instance SET users = users - 1 WHERE app_instance_arn = $1', appInstanceArn)
  const admin = 'DELETE FROM app_instance_admin WHERE app_instance_arn = $1 AND admin_arn = $2'
  await transaction.run(admin, appInstanceArn, arn)
  await transaction.run('DELETE FROM tag WHERE resource_arn = $1', arn)
  await scheduleWork(transaction, { kind: 'remove-user', subject }, now)
  return true
}
