import { type ApiError, forbidden, notFound } from '../../contract/api-error.ts'
import { isPrincipalOf } from '../../contract/arn.ts'
import type { ChannelMembershipType } from '../../contract/shapes.ts'
import type { Transaction } from '../../store/store.ts'
import type { ChannelRow } from '../../store/tables.ts'
import { invalidUserArn, type NamedUser } from '../app-instance-users/app-instance-user.ts'
import { append } from '../events/append.ts'
import { batchCreateChannelMembership } from '../events/batch-create-channel-membership.ts'
import { beyondQuota, isWithinQuota } from '../quotas.ts'
import {
  alreadyMember,
  countMembers,
  countMembershipOf,
  insertMembership,
  newMembership,
} from './channel-membership.ts'

/** The new members, the channel, and the inviter. */
interface Batch {
  channel: ChannelRow
  memberArns: readonly string[]
  type: ChannelMembershipType
  invitedBy: NamedUser
  now: number
}

interface AddedBatch {
  members: NamedUser[]
  errors: { memberArn: string; error: ApiError }[]
}

/** A user of the batch, with its present role in the channel. */
interface Candidate extends NamedUser {
  memberships: number
  is_member: number
  is_banned: number
}

/** Statements exist for these numbers of ARNs; NULL fills the rest. The second is the maximum of a call. */
const widths = [10, 100]

/** Adds the users that can be added, with one event for all of them. */
export async function addBatch(transaction: Transaction, batch: Batch): Promise<AddedBatch> {
  const { members, errors } = await sortOut(transaction, batch)
  if (members.length === 0) return { members, errors }
  // In lock order: two calls with the same users would otherwise deadlock.
  for (const { user_id } of members.toSorted((a, b) => a.user_id - b.user_id)) {
    await countMembershipOf(transaction, user_id)
  }
  await countMembers(transaction, batch.channel.channel_id, members.length)
  const memberships = members.map((member) => newMembership({ ...batch, member }))
  const { channel_id, channel_arn } = batch.channel
  const joined_seq = await append(
    transaction,
    batchCreateChannelMembership,
    { channel_id, channel_arn, memberships },
    batch.now,
  )
  for (const membership of memberships) {
    if (!(await insertMembership(transaction, { ...membership, joined_seq }))) throw alreadyMember()
  }
  return { members, errors }
}

/** The users of the batch that can be added, and the errors of the others. */
async function sortOut(transaction: Transaction, batch: Batch): Promise<AddedBatch> {
  const { channel } = batch
  const candidates = await readCandidates(transaction, batch)
  const text = 'SELECT members FROM channel_head WHERE channel_id = $1'
  const before = (await transaction.get<{ members: number }>(text, channel.channel_id))?.members ?? 0
  const members = new Map<string, NamedUser>()
  const errors: AddedBatch['errors'] = []
  for (const memberArn of batch.memberArns) {
    const candidate = candidates.get(memberArn)
    const error = !isPrincipalOf(channel.app_instance_arn, memberArn)
      ? invalidUserArn()
      : rejection(candidate, members.has(memberArn), before + members.size + 1)
    if (error) errors.push({ memberArn, error })
    else if (candidate) members.set(memberArn, candidate)
  }
  return { members: [...members.values()], errors }
}

/** The error if the user cannot be added; `membersThen` is the number of members with it. */
function rejection(candidate: Candidate | undefined, isAdded: boolean, membersThen: number): ApiError | undefined {
  if (!candidate) return notFound('The user that MemberArn names does not exist')
  if (candidate.is_banned) return forbidden()
  if (candidate.is_member || isAdded) return alreadyMember()
  if (!isWithinQuota('membershipsPerChannel', membersThen)) return beyondQuota('membershipsPerChannel')
  if (!isWithinQuota('membershipsPerUser', candidate.memberships + 1)) return beyondQuota('membershipsPerUser')
  return undefined
}

async function readCandidates(
  transaction: Transaction,
  { channel, memberArns }: Batch,
): Promise<Map<string, Candidate>> {
  const width = widths.find((enough) => enough >= memberArns.length) ?? memberArns.length
  const places = Array.from({ length: width }, (_, index) => `$${index + 2}`)
  const rows = await transaction.all<Candidate>(
    `SELECT user_id, app_instance_user_arn, name, memberships,
       (SELECT count(*) FROM channel_membership WHERE channel_id = $1 AND member_id = user_id) AS is_member,
       (SELECT count(*) FROM channel_ban WHERE channel_id = $1 AND member_id = user_id) AS is_banned
     FROM app_instance_user WHERE app_instance_user_arn IN (${places.join(', ')}) AND deleted_at IS NULL`,
    channel.channel_id,
    ...places.map((_, index) => memberArns[index] ?? null),
  )
  return new Map(rows.map((row) => [row.app_instance_user_arn, row]))
}
