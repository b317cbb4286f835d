import { conflict } from '../../contract/api-error.ts'
import type { ChannelMembershipType } from '../../contract/shapes.ts'
import type { Identity } from '../../contract/structures.ts'
import type { Reader, Transaction } from '../../store/store.ts'
import type { Audience, ChannelEvent, MembershipRow } from '../../store/tables.ts'
import { fromJsonText, toJsonText } from '../json-text.ts'
import { requireWithinQuota } from '../quotas.ts'
import { isoText } from '../times.ts'

export interface NewMember {
  channelArn: string
  member: Required<Identity>
  type: ChannelMembershipType
  invitedBy: Required<Identity>
  now: number
}

/** Adds the member and tells the channel. Throws a Conflict if the user is a member already. */
export async function addMember(transaction: Transaction, added: NewMember): Promise<void> {
  const { channelArn, member, type, invitedBy, now } = added
  const row: MembershipRow = {
    channel_arn: channelArn,
    member_arn: member.Arn,
    type,
    invited_by_arn: invitedBy.Arn,
    invited_by_name: toJsonText(invitedBy.Name),
    read_marker_at: null,
    created_at: now,
    updated_at: now,
  }
  const inserted = await transaction.run(
    `INSERT INTO channel_membership (channel_arn, member_arn, type, invited_by_arn, invited_by_name, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT DO NOTHING`,
    row.channel_arn,
    row.member_arn,
    row.type,
    row.invited_by_arn,
    row.invited_by_name,
    now,
  )
  if (inserted === 0) throw conflict('The user is a member of the channel already')
  const inChannel = 'FROM channel_membership WHERE channel_arn = $1'
  await requireWithinQuota(transaction, 'membershipsPerChannel', inChannel, channelArn)
  const ofUser = 'FROM channel_membership WHERE member_arn = $1'
  await requireWithinQuota(transaction, 'membershipsPerUser', ofUser, member.Arn)
  await transaction.append({
    channelArn,
    eventType: 'CREATE_CHANNEL_MEMBERSHIP',
    audience: type === 'DEFAULT' ? { to: 'members', and: member.Arn } : await thoseWhoSeeHidden(transaction, row),
    createdAt: now,
    about: { membership: { memberArn: member.Arn, memberName: member.Name, row } },
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

/** The payload of CREATE_CHANNEL_MEMBERSHIP: AWS's ChannelMembership. */
export function membershipPayload({ about, channelArn }: Pick<ChannelEvent, 'about' | 'channelArn'>): object {
  if (!('membership' in about)) throw new Error('the event is not about a membership')
  const { memberArn, memberName, row } = about.membership
  return {
    ChannelArn: channelArn,
    Member: { Arn: memberArn, Name: memberName },
    InvitedBy: { Arn: row.invited_by_arn, Name: fromJsonText(row.invited_by_name) },
    Type: row.type,
    CreatedTimestamp: isoText(row.created_at),
    LastUpdatedTimestamp: isoText(row.updated_at),
  }
}

/** The ARNs of the channels that the user is a member of. */
export async function memberships(read: Reader, userArn: string): Promise<string[]> {
  const sql = 'SELECT channel_arn FROM channel_membership WHERE member_arn = $1'
  return (await read.all<{ channel_arn: string }>(sql, userArn)).map((row) => row.channel_arn)
}
