import { conflict, forbidden } from '../../contract/api-error.ts'
import type { ChannelMembershipType } from '../../contract/shapes.ts'
import type { Audience } from '../../store/channel-event.ts'
import { membershipColumns } from '../../store/columns.ts'
import type { Reader, Transaction } from '../../store/store.ts'
import type { ChannelRow, MembershipRow } from '../../store/tables.ts'
import type { NamedUser } from '../app-instance-users/app-instance-user.ts'
import { channelSummary } from '../channels/channel.ts'
import { fromJsonText } from '../json-text.ts'
import { requireWithinQuota } from '../quotas.ts'
import { epochSeconds, type WriteTime } from '../times.ts'

/** Who becomes a member of which channel, and by whom. */
interface NewMember {
  channel: Pick<ChannelRow, 'channel_id' | 'channel_arn' | 'app_instance_arn'>
  member: NamedUser
  type: ChannelMembershipType
  invitedBy: NamedUser
  now: number
}

/** Adds the member and notifies the channel. Throws a Conflict if the user is a member already. */
export async function addMember(transaction: Transaction, added: NewMember): Promise<void> {
  const memberships = await countMembershipOf(transaction, added.member.user_id)
  await addCounted(transaction, { ...added, memberships })
}

/** The same for a member whose `memberships` were counted by `countMembershipOf`. */
export async function addCounted(
  transaction: Transaction,
  { channel, member, memberships, type, invitedBy, now }: NewMember & { memberships: number },
): Promise<void> {
  const known: Omit<MembershipRow, 'joined_seq'> = {
    channel_id: channel.channel_id,
    channel_arn: channel.channel_arn,
    member_id: member.user_id,
    member_arn: member.app_instance_user_arn,
    member_name: member.name,
    type,
    invited_by_arn: invitedBy.app_instance_user_arn,
    invited_by_name: invitedBy.name,
    read_marker_at: null,
    created_at: now,
    updated_at: now,
  }
  const members = await countMember(transaction, channel.channel_id)
  const joined_seq = await transaction.append({
    channelId: channel.channel_id,
    channelArn: channel.channel_arn,
    eventType: 'CREATE_CHANNEL_MEMBERSHIP',
    audience:
      type === 'DEFAULT'
        ? { to: 'members', and: known.member_arn }
        : await watchersOfHidden(transaction, channel, known),
    createdAt: now,
    about: { membership: { ...known, joined_seq: 0 } },
  })
  const row = Object.fromEntries(membershipColumns.map((column) => [column, { ...known, joined_seq }[column]]))
  if (!(await transaction.insertOnce('channel_membership', row))) {
    throw conflict('The user is a member of the channel already')
  }
  requireWithinQuota('membershipsPerChannel', members)
  requireWithinQuota('membershipsPerUser', memberships)
}

/** Throws a Forbidden for a user that is banned from the channel: nobody may add it until the ban is deleted. */
export async function requireNotBanned(transaction: Transaction, channelId: number, userId: number): Promise<void> {
  const text = 'SELECT 1 FROM channel_ban WHERE channel_id = $1 AND member_id = $2'
  if (await transaction.get(text, channelId, userId)) throw forbidden()
}

/** Counts one more membership of the user. Returns how many it has now. */
export async function countMembershipOf(transaction: Transaction, userId: number): Promise<number> {
  const text = 'UPDATE app_instance_user SET memberships = memberships + 1 WHERE user_id = $1 RETURNING memberships'
  return (await transaction.get<{ memberships: number }>(text, userId))?.memberships ?? 0
}

/** Counts one more member of the channel. Returns how many it has now. Throws a Forbidden if it was deleted meanwhile. */
async function countMember(transaction: Transaction, channelId: number): Promise<number> {
  const text =
    'UPDATE channel_head SET members = members + 1 WHERE channel_id = $1 AND deleted_at IS NULL RETURNING members'
  const head = await transaction.get<{ members: number }>(text, channelId)
  if (!head) throw forbidden()
  return head.members
}

/** A HIDDEN membership is known to its owner, and to the moderators and admins among the members. */
async function watchersOfHidden(
  transaction: Transaction,
  { channel_id, app_instance_arn }: NewMember['channel'],
  { member_arn }: Pick<MembershipRow, 'member_arn'>,
): Promise<Audience> {
  const watchers = await transaction.all<{ member_arn: string }>(
    `SELECT member_arn FROM membership_view WHERE channel_id = $1 AND (
       member_id IN (SELECT moderator_id FROM channel_moderator WHERE channel_id = $1) OR
       member_arn IN (SELECT admin_arn FROM app_instance_admin WHERE app_instance_arn = $2))`,
    channel_id,
    app_instance_arn,
  )
  return { to: 'users', users: [...new Set([member_arn, ...watchers.map((watcher) => watcher.member_arn)])] }
}

export const findMembership = (read: Reader, channelId: number, memberId: number): Promise<MembershipRow | undefined> =>
  read.get('SELECT * FROM membership_view WHERE channel_id = $1 AND member_id = $2', channelId, memberId)

/** AWS's ChannelMembership. */
export const membershipToWire = <Time>(row: MembershipRow, time: WriteTime<Time>) => ({
  ChannelArn: row.channel_arn,
  Member: { Arn: row.member_arn, Name: fromJsonText(row.member_name) },
  InvitedBy: { Arn: row.invited_by_arn, Name: fromJsonText(row.invited_by_name) },
  Type: row.type,
  CreatedTimestamp: time(row.created_at),
  LastUpdatedTimestamp: time(row.updated_at),
})

/** A channel, as one of its members has it. */
export type JoinedChannelRow = ChannelRow & Pick<MembershipRow, 'type' | 'read_marker_at'>

/** AWS's ChannelMembershipForAppInstanceUserSummary. The read marker is for the membership's owner alone. */
export const joinedChannelSummary = (row: JoinedChannelRow, { isOwner }: { isOwner: boolean }) => ({
  ChannelSummary: channelSummary(row, epochSeconds),
  AppInstanceUserMembershipSummary: {
    Type: row.type,
    ReadMarkerTimestamp: isOwner && row.read_marker_at !== null ? epochSeconds(row.read_marker_at) : undefined,
  },
})
