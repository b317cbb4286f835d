import { appInstanceOf } from '../../contract/arn.ts'
import type { EventKind, LogRow, SubjectRows } from '../../events/event-kind.ts'
import type { Audience } from '../../store/channel-event.ts'
import type { Reader } from '../../store/store.ts'
import type { MembershipRow } from '../../store/tables.ts'
import { membershipToWire } from '../channel-memberships/membership-to-wire.ts'
import { fromJsonText } from '../json-text.ts'
import { isoText } from '../times.ts'

/** A membership without its row. The name is missing if the user's row is deleted. */
interface GoneMembership {
  channel_arn: string
  member_arn: string
  member_name: string | undefined
  isGone: true
}

export type PastMembership = MembershipRow | GoneMembership

type MembershipKind = EventKind<MembershipRow, PastMembership>

/** The common part of the events about one membership. A kind overrides what differs. */
export const membershipKind = (kind: Pick<MembershipKind, 'eventType'> & Partial<MembershipKind>): MembershipKind => ({
  heardOn: 'both',
  reference: ({ member_arn }) => ({ subject: member_arn, revision: 0 }),
  audience: (membership, read) => membershipAudience(read, [membership]),
  messageType: () => 'SYSTEM',
  payload: membershipPayload,
  fromLog: (row, rows) => pastMembership(row, row.subject, rows),
  ...kind,
})

/** The row, if it still belongs to the membership that began with this event. */
export function pastMembership({ channel_arn, seq }: LogRow, member_arn: string, rows: SubjectRows): PastMembership {
  const member = rows.members.get(member_arn)
  if (member?.membership?.joined_seq === seq) return member.membership
  return { channel_arn, member_arn, member_name: member?.member_name, isGone: true }
}

/**
 * The audience is all members; the users themselves are members before they leave and after they have joined. Only its owner
 * and the moderators and admins among the members receive the event of a HIDDEN membership. The rows have one channel and one
 * type.
 */
export async function membershipAudience(read: Reader, rows: readonly MembershipRow[]): Promise<Audience> {
  const [row] = rows
  if (!row || row.type === 'DEFAULT') return { to: 'members' }
  const watchers = await read.all<{ member_arn: string }>(
    `SELECT member_arn FROM membership_view WHERE channel_id = $1 AND (
       member_id IN (SELECT moderator_id FROM channel_moderator WHERE channel_id = $1) OR
       member_arn IN (SELECT admin_arn FROM app_instance_admin WHERE app_instance_arn = $2))`,
    row.channel_id,
    appInstanceOf(row.channel_arn) ?? null,
  )
  return { to: 'users', users: [...new Set([...rows, ...watchers].map(({ member_arn }) => member_arn))] }
}

export const memberIdentity = ({ member_arn, member_name }: PastMembership) => ({
  Arn: member_arn,
  Name: member_name === undefined ? undefined : fromJsonText(member_name),
})

/** AWS's ChannelMembership; without the row, the members that are known. */
const membershipPayload = (membership: PastMembership): object =>
  'isGone' in membership
    ? { ChannelArn: membership.channel_arn, Member: memberIdentity(membership) }
    : membershipToWire(membership, isoText)
