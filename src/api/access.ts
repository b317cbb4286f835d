import { ApiError, forbidden } from '../contract/api-error.ts'
import type { ChannelMembershipType } from '../contract/shapes.ts'
import type { Reader } from '../store/store.ts'
import type { ChannelRow } from '../store/tables.ts'
import { type AppInstanceUserRow, findUser } from './app-instance-users/app-instance-user.ts'
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

/** The bearer's roles as they are read: its membership, and how many rows make it a moderator or an admin. */
interface Roles {
  membership: ChannelMembershipType | null
  moderates: number
  administers: number
}

interface ChannelCall {
  ChannelArn: string
  ChimeBearer: string
}

/** Operations without a bearer: whoever holds credentials for them may call them. */
export const byCredentialsAlone = () => {}

/** The user on whose behalf the call is made. Throws an Unauthorized if there is none. */
export async function requireBearer(read: Reader, arn: string): Promise<AppInstanceUserRow> {
  const user = await findUser(read, arn)
  if (user) return user
  throw new ApiError(
    'Unauthorized',
    'An invalid app instance user ARN was supplied for the x-amz-chime-bearer HTTP header.',
  )
}

/** The bearer in its relation to the channel, whatever that is. A channel of another AppInstance is out of sight. */
export async function accessTo({ ChannelArn, ChimeBearer }: ChannelCall, { read }: Context): Promise<ChannelAccess> {
  const bearer = await requireBearer(read, ChimeBearer)
  const row = await read.get<ChannelRow & Roles>(
    `SELECT channel.*, channel_head.last_message_at,
       (SELECT type FROM channel_membership WHERE channel_arn = $1 AND member_arn = $2) AS membership,
       (SELECT count(*) FROM channel_moderator WHERE channel_arn = $1 AND moderator_arn = $2) AS moderates,
       (SELECT count(*) FROM app_instance_admin WHERE app_instance_arn = $3 AND admin_arn = $2) AS administers
     FROM channel JOIN channel_head ON channel_head.channel_arn = channel.channel_arn
     WHERE channel.channel_arn = $1 AND channel.app_instance_arn = $3`,
    ChannelArn,
    ChimeBearer,
    bearer.app_instance_arn,
  )
  if (!row) throw forbidden()
  const { membership, moderates, administers, ...channel } = row
  return {
    bearer,
    channel,
    membership: membership ?? undefined,
    moderates: moderates > 0,
    administers: administers > 0,
  }
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

/** Members, moderators and admins. What they may do there depends on the message. */
export async function mayActInChannel(call: ChannelCall, context: Context): Promise<ChannelAccess> {
  const access = await accessTo(call, context)
  if (!access.membership && !access.moderates && !access.administers) throw forbidden()
  return access
}

/** Members that are not HIDDEN. Being a moderator or an admin is not enough. */
export async function maySendToChannel(call: ChannelCall, context: Context): Promise<ChannelAccess> {
  const access = await accessTo(call, context)
  if (access.membership !== 'DEFAULT') throw forbidden()
  return access
}
