import type { EventKind } from '../../events/event-kind.ts'
import type { MembershipRow } from '../../store/tables.ts'
import { inviterIdentity } from '../channel-memberships/membership-to-wire.ts'
import { memberIdentity, membershipAudience, type PastMembership, pastMembership } from './membership-kind.ts'

/** Memberships that one call has created. */
interface Batch<Membership> {
  channel_id: number
  channel_arn: string
  /** At least one. All have the same type and inviter. */
  memberships: readonly Membership[]
}

/** One event for all of them. The log keeps their ARNs. */
export const batchCreateChannelMembership: EventKind<Batch<MembershipRow>, Batch<PastMembership>> = {
  eventType: 'BATCH_CREATE_CHANNEL_MEMBERSHIP',
  // Streams have one CREATE_CHANNEL_MEMBERSHIP for each membership.
  heardOn: 'sessions',
  reference: ({ memberships }) => ({
    subject: JSON.stringify(memberships.map(({ member_arn }) => member_arn)),
    revision: 0,
  }),
  audience: ({ memberships }, read) => membershipAudience(read, memberships),
  effect: (subject) => ({ joins: memberArns(subject) }),
  messageType: () => 'SYSTEM',
  payload: batchPayload,
  fromLog: (row, rows) => ({
    channel_id: row.channel_id,
    channel_arn: row.channel_arn,
    memberships: memberArns(row.subject).map((memberArn) => pastMembership(row, memberArn, rows)),
  }),
}

const memberArns = (subject: string) => JSON.parse(subject) as string[]

/** AWS's BatchChannelMemberships. */
function batchPayload({ channel_arn, memberships }: Batch<PastMembership>): object {
  const row = memberships.find((membership): membership is MembershipRow => !('isGone' in membership))
  return {
    ChannelArn: channel_arn,
    InvitedBy: row && inviterIdentity(row),
    Type: row?.type,
    Members: memberships.map(memberIdentity),
  }
}
