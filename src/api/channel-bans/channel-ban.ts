import type { Reader } from '../../store/store.ts'
import type { NamedUser } from '../app-instance-users/app-instance-user.ts'

/** A ban, with the name that the banned user has now. */
export interface BanRow extends NamedUser {
  created_by_arn: string
  created_by_name: string
  created_at: number
}

export const findBan = (read: Reader, channelId: number, memberArn: string): Promise<BanRow | undefined> =>
  read.get(
    `SELECT user_id, app_instance_user_arn, name, created_by_arn, created_by_name, channel_ban.created_at
     FROM app_instance_user JOIN channel_ban ON member_id = user_id
     WHERE app_instance_user_arn = $2 AND deleted_at IS NULL AND channel_id = $1`,
    channelId,
    memberArn,
  )
