import { setImmediate } from 'node:timers/promises'
import type { Static } from 'typebox'
import { badRequest } from '../../contract/api-error.ts'
import { appInstanceOf, isPrincipalOf } from '../../contract/arn.ts'
import type { SearchFields } from '../../contract/structures/channels.ts'
import type { Reader } from '../../store/store.ts'
import type { ChannelRow } from '../../store/tables.ts'
import { type AppInstanceUserRow, invalidUserArn } from '../app-instance-users/app-instance-user.ts'

/*
 * Finds the channels with these members. There is no index for a set of members. So the search reads the memberships of the
 * user with the fewest, and looks up the other users in each of those channels.
 */

/** AWS excludes users with a large number of memberships, and documents no number. */
const membershipsMax = 1_000
/** Maximum of memberships that a statement looks up: 10 ms of the event loop. */
const lookupsMax = 10_000
/** The numbers of users for which statements exist, so that there are few texts. The last is 20 fields of 20 values. */
const userCounts = [4, 20, 100, 400]

type Fields = Static<typeof SearchFields>
type Member = Pick<AppInstanceUserRow, 'user_id' | 'app_instance_user_arn' | 'memberships'>

interface Asked {
  fields: Fields
  /** The bearer's AppInstance; undefined for a call without a bearer. */
  appInstanceArn: string | undefined
  /** If set, only this user's channels are searched. */
  within: Member | undefined
}

/** A search that may find channels. */
interface Search {
  /** The user whose memberships are read. */
  first: Member
  /** DEFAULT members of the channel, those with the fewest memberships first. */
  members: Member[]
  /** Whether the channel has no other DEFAULT members. */
  isExact: boolean
  within: Member | undefined
}

/**
 * The search for all fields together; undefined if no channel can match. Throws a Forbidden for a value that is not a user
 * of the AppInstance, and a BadRequest if all users have too many memberships.
 */
export async function readSearch(read: Reader, { fields, appInstanceArn, within }: Asked): Promise<Search | undefined> {
  const arns = new Set(fields.flatMap(({ Values }) => Values))
  const exact = fields.filter(({ Operator }) => Operator === 'EQUALS')
  const members = await findMembers(read, [...arns], appInstanceArn)
  if (exact.some(({ Values }) => new Set(Values).size < arns.size)) return undefined
  const [first] = within ? [...members, within].toSorted(byMemberships) : members
  if (!first) return undefined
  if (first.memberships > membershipsMax) {
    throw badRequest(
      `The search is not supported for users with a large number of memberships (over ${membershipsMax})`,
    )
  }
  return { first, members, isExact: exact.length > 0, within }
}

const byMemberships = (a: Member, b: Member) => a.memberships - b.memberships

/** All users must belong to one AppInstance. Those with the fewest memberships are first. */
async function findMembers(read: Reader, arns: string[], ofBearer: string | undefined): Promise<Member[]> {
  const appInstanceArn = ofBearer ?? appInstanceOf(arns[0] ?? '') ?? ''
  if (!arns.every((arn) => isPrincipalOf(appInstanceArn, arn))) throw invalidUserArn()
  const values = padded(arns)
  const members = await read.all<Member>(
    `SELECT user_id, app_instance_user_arn, memberships FROM app_instance_user
     WHERE deleted_at IS NULL AND app_instance_user_arn IN (${placeholders(values, 1)})`,
    ...values,
  )
  if (members.length < arns.length) throw invalidUserArn()
  return members.toSorted(byMemberships)
}

/** The first channels after this one, in the order of creation. */
export async function channelsWith(
  read: Reader,
  search: Search,
  after: number,
  channelsMax: number,
): Promise<ChannelRow[]> {
  const { first, members } = search
  const candidatesMax = Math.ceil(lookupsMax / members.length)
  const found: ChannelRow[] = []
  for (let from = after; found.length < channelsMax; ) {
    const candidates = await read.all<{ channel_id: number }>(
      `SELECT channel_id FROM channel_membership WHERE member_id = $1 AND channel_id > $2 ORDER BY channel_id LIMIT $3`,
      first.user_id,
      from,
      candidatesMax,
    )
    const through = candidates.at(-1)?.channel_id
    if (through === undefined) break
    found.push(...(await findAmong(read, search, { from, through }, channelsMax - found.length)))
    if (candidates.length < candidatesMax) break
    from = through
    // Other calls are served in between.
    await setImmediate()
  }
  return found
}

function findAmong(
  read: Reader,
  { first, members, isExact, within }: Search,
  { from, through }: { from: number; through: number },
  channelsMax: number,
): Promise<ChannelRow[]> {
  const users = padded(members.map(({ user_id }) => user_id))
  // The bearer may be a HIDDEN member.
  const isWithin = `AND EXISTS (SELECT 1 FROM channel_membership AS own
       WHERE own.channel_id = candidate.channel_id AND own.member_id = $${users.length + 5})`
  const hasNoOther = `AND NOT EXISTS (SELECT 1 FROM channel_membership AS other
       WHERE other.channel_id = candidate.channel_id AND other.type = 'DEFAULT'
         AND other.member_id NOT IN (${placeholders(users, 5)}))`
  return read.all<ChannelRow>(
    `WITH wanted (member_id) AS (VALUES ${users.map((_, index) => `(CAST($${index + 5} AS BIGINT))`).join(', ')})
     SELECT channel_view.* FROM channel_membership AS candidate
     JOIN channel_view ON channel_view.channel_id = candidate.channel_id
     WHERE candidate.member_id = $1 AND candidate.channel_id > $2 AND candidate.channel_id <= $3
       AND NOT EXISTS (SELECT 1 FROM wanted WHERE NOT EXISTS (
         SELECT 1 FROM channel_membership AS theirs WHERE theirs.channel_id = candidate.channel_id
           AND theirs.member_id = wanted.member_id AND theirs.type = 'DEFAULT'))
       ${isExact ? hasNoOther : ''} ${within ? isWithin : ''}
     ORDER BY candidate.channel_id LIMIT $4`,
    first.user_id,
    from,
    through,
    channelsMax,
    ...users,
    ...(within ? [within.user_id] : []),
  )
}

/** Fills the list up to the next of `userCounts` by repeating its last value. */
function padded<Value>(values: Value[]): Value[] {
  const count = userCounts.find((one) => one >= values.length) as number
  return Array.from({ length: count }, (_, index) => values[index] ?? (values.at(-1) as Value))
}

const placeholders = (values: unknown[], from: number): string =>
  values.map((_, index) => `$${index + from}`).join(', ')
