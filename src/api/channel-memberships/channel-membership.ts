import { conflict, forbidden } from '../../contract/api-error.ts'
import type { ChannelMembershipType } from '../../contract/shapes.ts'
import { membershipColumns } from '../../store/columns.ts'
import type { Reader, Transaction } from '../../store/store.ts'
import type { ChannelRow, MembershipRow } from '../../store/tables.ts'
import type { ChannelAccess } from '../access.ts'
import { findUser, type NamedUser } from '../app-instance-users/app-instance-user.ts'
import { append } from '../events/append.ts'
import { createChannelMembership } from '../events/create-channel-membership.ts'
import { deleteChannelMembership } from '../events/delete-channel-membership.ts'
import { requireWithinQuota } from '../quotas.ts'

/** The new member, the channel, and the inviter. */
interface NewMember {
  channel: Pick<ChannelRow, 'channel_id' | 'channel_arn'>
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
  { memberships, ...added }: NewMember & { memberships: number },
): Promise<void> {
  const membership = newMembership(added)
  const members = await countMembers(transaction, membership.channel_id, 1)
  const joined_seq = await append(transaction, createChannelMembership, membership, added.now)
  if (!(await insertMembership(transaction, { ...membership, joined_seq }))) throw alreadyMember()
  requireWithinQuota('membershipsPerChannel', members)
  requireWithinQuota('membershipsPerUser', memberships)
}

export const alreadyMember = () => conflict('The user is a member of the channel already')

/** The row before its event has a number. */
export const newMembership = ({ channel, member, type, invitedBy, now }: NewMember): MembershipRow => ({
  channel_id: channel.channel_id,
  channel_arn: channel.channel_arn,
  member_id: member.user_id,
  member_arn: member.app_instance_user_arn,
  member_name: member.name,
  type,
  invited_by_arn: invitedBy.app_instance_user_arn,
  invited_by_name: invitedBy.name,
  read_marker_at: null,
  joined_seq: 0,
  created_at: now,
  updated_at: now,
})

/** Returns false if the user is a member already. */
export const insertMembership = (transaction: Transaction, membership: MembershipRow): Promise<boolean> =>
  transaction.insertOnce(
    'channel_membership',
    Object.fromEntries(membershipColumns.map((column) => [column, membership[column]])),
  )

/**
 * Whether the bearer may add these users. Moderators and admins add any user. Members may in an UNRESTRICTED channel,
 * and a user that is not a member may add itself to one that is also PUBLIC. Only moderators and admins give HIDDEN
 * memberships.
 */
export function mayAdd(access: ChannelAccess, memberArns: readonly string[], type: ChannelMembershipType): boolean {
  if (access.moderates || access.administers) return true
  if (type === 'HIDDEN' || access.channel.mode !== 'UNRESTRICTED') return false
  if (access.membership === 'DEFAULT') return true
  if (access.isBanned || access.channel.privacy !== 'PUBLIC') return false
  return memberArns.every((memberArn) => memberArn === access.bearer.app_instance_user_arn)
}

/** Throws a Forbidden for a user that is banned from the channel: no bearer may add it until the ban is deleted. */
export async function requireNotBanned(transaction: Transaction, channelId: number, userId: number): Promise<void> {
  const text = 'SELECT 1 FROM channel_ban WHERE channel_id = $1 AND member_id = $2'
  if (await transaction.get(text, channelId, userId)) throw forbidden()
}

/** Increments the user's number of memberships, and returns it. */
export async function countMembershipOf(transaction: Transaction, userId: number): Promise<number> {
  const text = 'UPDATE app_instance_user SET memberships = memberships + 1 WHERE user_id = $1 RETURNING memberships'
  return (await transaction.get<{ memberships: number }>(text, userId))?.memberships ?? 0
}

/**
 * Changes the channel's number of members, and returns it. Throws a Forbidden if the channel was deleted in the meantime.
 */
export async function countMembers(transaction: Transaction, channelId: number, more: number): Promise<number> {
  const text =
    'UPDATE channel_head SET members = members + $2 WHERE channel_id = $1 AND deleted_at IS NULL RETURNING members'
  const head = await transaction.get<{ members: number }>(text, channelId, more)
  if (!head) throw forbidden()
  return head.members
}

/**
 * Removes the member, and appends the event. The moderator role stays. Returns the removed membership; undefined, without a
 * change, if there was none. Operations, bans and the deletion of a user call it. Events that `before` appends are numbered
 * before the leave, so that the member still receives them.
 */
export async function removeMember(
  transaction: Transaction,
  { channel_id, member_id }: Pick<MembershipRow, 'channel_id' | 'member_id'>,
  now: number,
  before: () => Promise<void> = async () => {},
): Promise<MembershipRow | undefined> {
  const membership = await findMembership(transaction, channel_id, member_id)
  if (!membership) return undefined
  // In lock order, the user first and the head last, as when a member is added.
  await transaction.run(
    'UPDATE app_instance_user SET memberships = memberships - 1 WHERE user_id = $1',
    membership.member_id,
  )
  await transaction.run(
    'DELETE FROM channel_membership WHERE channel_id = $1 AND member_id = $2',
    membership.channel_id,
    membership.member_id,
  )
  await before()
  await countMembers(transaction, channel_id, -1)
  await append(transaction, deleteChannelMembership, membership, now)
  return membership
}

/**
 * The user's membership of the channel if the bearer may see it: only the owner, moderators and admins may see a HIDDEN one.
 */
export async function findKnownMembership(
  read: Reader,
  memberArn: string,
  { bearer, channel, moderates, administers }: ChannelAccess,
): Promise<MembershipRow | undefined> {
  const user = await findUser(read, memberArn)
  const membership = user && (await findMembership(read, channel.channel_id, user.user_id))
  const knowsHidden = moderates || administers || user?.user_id === bearer.user_id
  return membership?.type === 'DEFAULT' || knowsHidden ? membership : undefined
}

const findMembership = (read: Reader, channelId: number, memberId: number): Promise<MembershipRow | undefined> =>
  read.get('SELECT * FROM membership_view WHERE channel_id = $1 AND member_id = $2', channelId, memberId)
