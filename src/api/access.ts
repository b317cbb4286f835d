import { ApiError, forbidden } from '../contract/api-error.ts'
import type { ChannelMembershipType } from '../contract/shapes.ts'
import type { FlowSnapshot } from '../flow/decision.ts'
import type { Reader } from '../store/store.ts'
import type { ChannelRow } from '../store/tables.ts'
import {
  type AppInstanceUserRow,
  findUser,
  type NamedUser,
  requireUserOf,
} from './app-instance-users/app-instance-user.ts'
import type { FlowPolicy } from './app-instances/flow-policy.ts'
import { effectiveFlowArn, type SnapshotRow, snapshotOf } from './channel-flows/channel-flow.ts'
import type { Context } from './context.ts'

/*
 * The authorization rules (AWS's developer guide, "Authorization by role"). Each rule returns what it has read, for the
 * operation. A resource that is unknown and one that is not allowed give the same error.
 */

/** The roles of the bearer in a channel. They are independent: a member can also be an admin. */
export interface ChannelAccess {
  bearer: NamedUser
  channel: ChannelRow
  /** The channel's flow, read together with the roles; undefined if it has none. */
  flow(): FlowSnapshot | undefined
  /** What the operator has set for all channels of the AppInstance. */
  policy: Pick<FlowPolicy, 'control_messages' | 'channel_text'>
  membership: ChannelMembershipType | undefined
  moderates: boolean
  administers: boolean
  isBanned: boolean
}

/**
 * The columns of the bearer's roles: its membership, and the numbers of rows that make it a moderator, an admin, or banned.
 */
interface Roles {
  membership: ChannelMembershipType | null
  moderates: number
  administers: number
  bans: number
}

/** If the bearer's AppInstance has no such channel, every column is null except the bearer's. */
type AccessRow = ChannelRow &
  Roles &
  SnapshotRow &
  ChannelAccess['policy'] & { bearer_id: number; bearer_arn: string; bearer_name: string }

export interface ChannelCall {
  ChannelArn: string
  ChimeBearer: string
}

/** Operations without a bearer: every caller with credentials may call them. */
export const byCredentialsAlone = () => {}

/** The user that makes the call. Throws an Unauthorized if it does not exist. */
export async function requireBearer(read: Reader, arn: string): Promise<AppInstanceUserRow> {
  const user = await findUser(read, arn)
  if (user) return user
  throw unknownBearer()
}

const unknownBearer = () =>
  new ApiError('Unauthorized', 'An invalid app instance user ARN was supplied for the x-amz-chime-bearer HTTP header.')

/** A user that the bearer may name in a call. */
interface UserAccess {
  bearer: AppInstanceUserRow
  user: AppInstanceUserRow
  administers: boolean
}

/** The user that the call names; without one, the bearer. Admins may name any user of their AppInstance. */
export async function selfOrAdmin(
  { AppInstanceUserArn, ChimeBearer }: { AppInstanceUserArn?: string; ChimeBearer: string },
  { read }: Context,
): Promise<UserAccess> {
  const bearer = await requireBearer(read, ChimeBearer)
  const administers = await isAdmin(read, bearer)
  if (AppInstanceUserArn === undefined || AppInstanceUserArn === ChimeBearer)
    return { bearer, user: bearer, administers }
  if (!administers) throw forbidden()
  return { bearer, user: await requireUserOf(read, bearer.app_instance_arn, AppInstanceUserArn), administers }
}

export async function isAdmin(read: Reader, user: AppInstanceUserRow): Promise<boolean> {
  const row = await read.get(
    'SELECT 1 FROM app_instance_admin WHERE app_instance_arn = $1 AND admin_arn = $2',
    user.app_instance_arn,
    user.app_instance_user_arn,
  )
  return row !== undefined
}

/**
 * The bearer's roles in the channel. A channel of another AppInstance counts as unknown. It is one statement, because each
 * one is a round trip to PostgreSQL, and every send calls this.
 */
export async function accessTo({ ChannelArn, ChimeBearer }: ChannelCall, { read }: Context): Promise<ChannelAccess> {
  const row = await read.get<AccessRow>(
    `SELECT channel.*, channel_head.last_message_at, bearer.user_id AS bearer_id,
       bearer.app_instance_user_arn AS bearer_arn, bearer.name AS bearer_name,
       channel_flow.channel_flow_arn AS effective_flow_arn, channel_flow.processors_json, channel_flow.deadline_ms,
       app_instance.control_messages, app_instance.channel_text,
       (SELECT type FROM channel_membership
        WHERE channel_id = channel.channel_id AND member_id = bearer.user_id) AS membership,
       (SELECT count(*) FROM channel_moderator
        WHERE channel_id = channel.channel_id AND moderator_id = bearer.user_id) AS moderates,
       (SELECT count(*) FROM app_instance_admin
        WHERE app_instance_arn = bearer.app_instance_arn AND admin_arn = $2) AS administers,
       (SELECT count(*) FROM channel_ban
        WHERE channel_id = channel.channel_id AND member_id = bearer.user_id) AS bans
     FROM app_instance_user AS bearer
     JOIN app_instance ON app_instance.app_instance_arn = bearer.app_instance_arn
     LEFT JOIN channel_head ON channel_head.channel_arn = $1 AND channel_head.deleted_at IS NULL
     LEFT JOIN channel ON channel.channel_id = channel_head.channel_id
       AND channel.app_instance_arn = bearer.app_instance_arn
     LEFT JOIN channel_flow ON channel_flow.channel_flow_arn = ${effectiveFlowArn}
     WHERE bearer.app_instance_user_arn = $2 AND bearer.deleted_at IS NULL`,
    ChannelArn,
    ChimeBearer,
  )
  if (!row) throw unknownBearer()
  if (row.channel_id === null) throw forbidden()
  const { membership, moderates, administers, bans, bearer_id, bearer_arn, bearer_name, ...rest } = row
  const { effective_flow_arn, processors_json, deadline_ms, ...others } = rest
  const { control_messages, channel_text, ...channel } = others
  return {
    bearer: { user_id: bearer_id, app_instance_user_arn: bearer_arn, name: bearer_name },
    channel,
    flow: () => snapshotOf(row),
    policy: { control_messages, channel_text },
    membership: membership ?? undefined,
    moderates: moderates > 0,
    administers: administers > 0,
    isBanned: bans > 0,
  }
}

/** Members, moderators and admins; all users of the AppInstance if the channel is PUBLIC, except banned ones. */
export async function maySeeChannel(call: ChannelCall, context: Context): Promise<ChannelAccess> {
  const access = await accessTo(call, context)
  const belongs = access.membership || access.moderates || access.administers
  if (!belongs && (access.channel.privacy !== 'PUBLIC' || access.isBanned)) throw forbidden()
  return access
}

/** Moderators and admins. */
export async function mayModerateChannel(call: ChannelCall, context: Context): Promise<ChannelAccess> {
  const access = await accessTo(call, context)
  if (!access.moderates && !access.administers) throw forbidden()
  return access
}

/** Members, moderators and admins. Further rules depend on the message. */
export async function mayActInChannel(call: ChannelCall, context: Context): Promise<ChannelAccess> {
  const access = await accessTo(call, context)
  if (!access.membership && !access.moderates && !access.administers) throw forbidden()
  return access
}

/** Members, including HIDDEN ones. The role of a moderator or admin is not enough. */
export async function mayActAsMember(call: ChannelCall, context: Context): Promise<ChannelAccess> {
  const access = await accessTo(call, context)
  if (!access.membership) throw forbidden()
  return access
}

/** Members that are not HIDDEN. The role of a moderator or admin is not enough. */
export async function maySendToChannel(call: ChannelCall, context: Context): Promise<ChannelAccess> {
  const access = await accessTo(call, context)
  if (access.membership !== 'DEFAULT') throw forbidden()
  return access
}
