import type { Reader, Transaction } from '../store/store.ts'
import { invalidUserArn, type NamedUser } from './app-instance-users/app-instance-user.ts'
import type { Context } from './context.ts'
import { fromJsonText } from './json-text.ts'
import { type PageInput, readPage } from './paging.ts'
import { epochSeconds } from './times.ts'

/**
 * Moderators and bans: moderators and admins give both to users of a channel. Both have rows of the same form, separate from
 * memberships.
 */
interface ChannelRole {
  table: 'channel_moderator' | 'channel_ban'
  userColumn: 'moderator_id' | 'member_id'
}

export const moderator: ChannelRole = { table: 'channel_moderator', userColumn: 'moderator_id' }
export const ban: ChannelRole = { table: 'channel_ban', userColumn: 'member_id' }

/** A user that has the role, with its current name. */
interface RoleRow extends NamedUser {
  created_by_arn: string
  created_by_name: string
  created_at: number
}

/** The user that gets the role, the channel, and the user that gives it. */
interface NewRole {
  channel_id: number
  user: NamedUser
  createdBy: NamedUser
  now: number
}

/** Returns false if the user has the role already. */
export const insertRole = (
  transaction: Transaction,
  { table, userColumn }: ChannelRole,
  { channel_id, user, createdBy, now }: NewRole,
): Promise<boolean> =>
  transaction.insertOnce(table, {
    channel_id,
    [userColumn]: user.user_id,
    created_by_arn: createdBy.app_instance_user_arn,
    created_by_name: createdBy.name,
    created_at: now,
  })

export const findRole = (
  read: Reader,
  { table, userColumn }: ChannelRole,
  channelId: number,
  userArn: string,
): Promise<RoleRow | undefined> =>
  read.get(
    `SELECT user_id, app_instance_user_arn, name, created_by_arn, created_by_name, ${table}.created_at
     FROM app_instance_user JOIN ${table} ON ${userColumn} = user_id
     WHERE app_instance_user_arn = $2 AND deleted_at IS NULL AND channel_id = $1`,
    channelId,
    userArn,
  )

/** Throws a Forbidden, in AWS's words, if the user does not have the role. */
export async function deleteRole(
  transaction: Transaction,
  role: ChannelRole,
  channelId: number,
  userArn: string,
): Promise<void> {
  const row = await findRole(transaction, role, channelId, userArn)
  if (!row) throw invalidUserArn()
  const { table, userColumn } = role
  await transaction.run(`DELETE FROM ${table} WHERE channel_id = $1 AND ${userColumn} = $2`, channelId, row.user_id)
}

/** A page of the users that have the role, in the order in which the users were created. */
export const readRolePage = (
  context: Context,
  input: PageInput,
  { table, userColumn }: ChannelRole,
  channelId: number,
): Promise<{ page: NamedUser[]; NextToken: string | undefined }> =>
  readPage(context, input, {
    start: 0,
    rowsAfter: (userId, rowsMax) =>
      context.read.all<NamedUser>(
        `SELECT user_id, app_instance_user_arn, name FROM ${table} JOIN app_instance_user ON user_id = ${userColumn}
         WHERE channel_id = $1 AND ${userColumn} > $2 AND deleted_at IS NULL ORDER BY ${userColumn} LIMIT $3`,
        channelId,
        userId,
        rowsMax,
      ),
    positionOf: (user) => user.user_id,
  })

/** The giver and the time of the role: members of AWS's ChannelModerator and ChannelBan. */
export const roleToWire = (row: RoleRow) => ({
  CreatedTimestamp: epochSeconds(row.created_at),
  CreatedBy: { Arn: row.created_by_arn, Name: fromJsonText(row.created_by_name) },
})
