import type { AppInstanceUserRow } from '../app-instance-users/app-instance-user.ts'

/** An admin as the user that it is; `created_at` is when it became one. */
export type AdminRow = Pick<AppInstanceUserRow, 'app_instance_user_arn' | 'name' | 'created_at'>

/** The admins of the AppInstance $1. A deleted user is none. */
export const adminsOf = `SELECT app_instance_user_arn, name, admin.created_at FROM app_instance_admin AS admin
  JOIN app_instance_user ON app_instance_user_arn = admin_arn AND deleted_at IS NULL
  WHERE admin.app_instance_arn = $1`
