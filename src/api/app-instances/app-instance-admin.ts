import type { AppInstanceUserRow } from '../app-instance-users/app-instance-user.ts'

/** The user of an admin; `created_at` is the time at which it became one. */
export type AdminRow = Pick<AppInstanceUserRow, 'app_instance_user_arn' | 'name' | 'created_at'>

/** The admins of the AppInstance $1, without deleted users. */
export const adminsOf = `SELECT app_instance_user_arn, name, admin.created_at FROM app_instance_admin AS admin
  JOIN app_instance_user ON app_instance_user_arn = admin_arn AND deleted_at IS NULL
  WHERE admin.app_instance_arn = $1`
