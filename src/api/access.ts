import { ApiError, forbidden } from '../contract/api-error.ts'
import type { ChannelMembershipType } from '../contract/shapes.ts'
import type { Reader } from '../store/store.ts'
import { type AppInstanceUserRow, findUser } from './app-instance-users/app-instance-user.ts'
import type { ChannelRow } from './channels/channel.ts'
import type { Context } from './context.ts'

/*
 * Who may do what (AWS's developer guide, "Authorization by role"). Each rule answers with what it learned, which the
 * operation then works with. Unknown and not allowed look the same.
 */

/** What the bearer is to a channel. Roles add up: a member can be an admin as well. */
export interface ChannelAccess {
  bearer: AppInstanceUserRow
  channel: ChannelRow
  membership: ChannelMembershipType | undefined
  moderates: boolean
  administers: boolean
}

interface ChannelCall {
  ChannelArn: string
  ChimeBearer: string
}

/** Operations without a bearer: whoever holds credentials for them may call them. */
export const byCredentialsAlone = () => {}

/** The user on whose behalf the call is made. */
export async function findBearer(read: Reader, arn: string): Promise<AppInstanceUserRow> {
  const user = await findUser(read, arn)
  if (user) return user
  throw new ApiError(
    'Unauthorized',
    'An invalid app instance user ARN was supplied for the x-amz-chime-bearer HTTP header.',
  )
}

/** The bearer in its relation to the channel, whatever that is. A channel of another AppInstance is out of sight. */
export async function accessTo({ ChannelArn, ChimeBearer }: ChannelCall, { read }: Context): Promise<ChannelAccess> {
  const bearer = await findBearer(read, ChimeBearer)
  const row = await read.get<ChannelRow & { membership: ChannelMembershipType | null; roles: number }>(
    `SELECT channel.*, channel_head.last_message_at,
       (SELECT type FROM channel_membership WHERE channel_arn = $1 AND member_arn = $2) AS membership,
       (SELECT count(*) FROM channel_moderator WHERE channel_arn = $1 AND moderator_arn = $2)
         + 2 * (SELECT count(*) FROM app_instance_admin WHERE app_instance_arn = $3 AND admin_arn = $2) AS roles
     FROM channel JOIN channel_head ON channel_head.channel_arn = channel.channel_arn
     WHERE channel.channel_arn = $1 AND channel.app_instance_arn = $3`,
    ChannelArn,
    ChimeBearer,
    bearer.app_instance_arn,
  )
  if (!row) throw forbidden()
  const { membership, roles, ...channel } = row
  const moderates = (roles & 1) !== 0
  const administers = (roles & 2) !== 0
  return { bearer, channel, membership: membership ?? undefined, moderates, administers }
}

/** Members, moderators and admins; everybody in the AppInstance where the channel is PUBLIC. */
export async function maySeeChannel(call: ChannelCall, context: Context): Promise<ChannelAccess> {
  const access = await accessTo(call, context)
  const sees = access.membership || access.moderates || access.administers || access.channel.privacy === 'PUBLIC'
  if (!sees) throw forbidden()
  return access
}

/** Moderators and admins. */
export async function mayModerateChannel(call: ChannelCall, context: Context): Promise<ChannelAccess> {
  const access = await accessTo(call, context)
  if (!access.moderates && !access.administers) throw forbidden()
  return access
}

/** Members that are not HIDDEN. Being a moderator or an admin is not enough. */
export async function maySendToChannel(call: ChannelCall, context: Context): Promise<ChannelAccess> {
  const access = await accessTo(call, context)
  if (access.membership !== 'DEFAULT') throw forbidden()
  return access
}
