import { conflict } from '../../contract/api-error.ts'
import type { ChannelMembershipType } from '../../contract/shapes.ts'
import type { Transaction } from '../../store/store.ts'
import type { Audience, EventSubject, MembershipRow } from '../../store/tables.ts'
import type { NamedUser } from '../app-instance-users/app-instance-user.ts'
import { fromJsonText } from '../json-text.ts'
import { requireWithinQuota } from '../quotas.ts'
import { isoText } from '../times.ts'

/** Who becomes a member of which channel, and by whom. */
interface NewMember {
  channelArn: string
  member: NamedUser
  type: ChannelMembershipType
  invitedBy: NamedUser
  now: number
}

/** Adds the member and tells the channel. Throws a Conflict if the user is a member already. */
export async function addMember(transaction: Transaction, added: NewMember): Promise<void> {
  const { channelArn, member, type, invitedBy, now } = added
  const row: MembershipRow = {
    channel_arn: channelArn,
    member_arn: member.app_instance_user_arn,
    type,
    invited_by_arn: invitedBy.app_instance_user_arn,
    invited_by_name: invitedBy.name,
    read_marker_at: null,
    created_at: now,
    updated_at: now,
  }
  if (!(await transaction.insertOnce('channel_membership', row))) {
    throw conflict('The user is a member of the channel already')
  }
  const inChannel = 'FROM channel_membership WHERE channel_arn = $1'
  await requireWithinQuota(transaction, 'membershipsPerChannel', inChannel, channelArn)
  const ofUser = 'FROM channel_membership WHERE member_arn = $1'
  await requireWithinQuota(transaction, 'membershipsPerUser', ofUser, row.member_arn)
  await transaction.append({
    channelArn,
    eventType: 'CREATE_CHANNEL_MEMBERSHIP',
    audience: type === 'DEFAULT' ? { to: 'members', and: row.member_arn } : await thoseWhoSeeHidden(transaction, row),
    createdAt: now,
    about: { membership: { memberArn: row.member_arn, memberName: fromJsonText(member.name), row } },
  })
}

/** A HIDDEN membership is known to its owner, and to the moderators and admins among the members. */
async function thoseWhoSeeHidden(
  transaction: Transaction,
  { channel_arn, member_arn }: MembershipRow,
): Promise<Audience> {
  const watchers = await transaction.all<{ member_arn: string }>(
    `SELECT member_arn FROM channel_membership WHERE channel_arn = $1 AND (
       member_arn IN (SELECT moderator_arn FROM channel_moderator WHERE channel_arn = $1) OR
       member_arn IN (SELECT admin_arn FROM app_instance_admin WHERE app_instance_arn =
         (SELECT app_instance_arn FROM channel WHERE channel_arn = $1)))`,
    channel_arn,
  )
  return { to: 'users', users: [...new Set([member_arn, ...watchers.map((watcher) => watcher.member_arn)])] }
}

type Membership = Extract<EventSubject, { membership: unknown }>['membership']

/** The payload of CREATE_CHANNEL_MEMBERSHIP: AWS's ChannelMembership. */
export const membershipPayload = ({ memberArn, memberName, row }: Membership) => ({
  ChannelArn: row.channel_arn,
  Member: { Arn: memberArn, Name: memberName },
  InvitedBy: { Arn: row.invited_by_arn, Name: fromJsonText(row.invited_by_name) },
  Type: row.type,
  CreatedTimestamp: isoText(row.created_at),
  LastUpdatedTimestamp: isoText(row.updated_at),
})
