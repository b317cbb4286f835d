import { setImmediate } from 'node:timers/promises'
import { BoundedHeap } from '../../runtime/bounded-heap.ts'
import type { Reader } from '../../store/store.ts'
import type { ChannelRow, MessageRow } from '../../store/tables.ts'
import { findUser, identityOf, type NamedUser } from '../app-instance-users/app-instance-user.ts'
import { readVisibleSince } from '../app-instances/retention.ts'
import { messageSummary, seenBy, visibleTo } from '../channel-messages/channel-message.ts'
import { channelSummary } from '../channels/channel.ts'
import { isoText } from '../times.ts'

/** AWS's quotas of a prefetch (developer guide, "Using websockets", prefetch). */
const channelsMax = 50
const messagesMax = 20
const membershipsMax = 30

/** Memberships in one read: about 1 ms of the event loop on SQLite. */
const membershipsPerPage = 500

interface Membership {
  channel_id: number
  last_message_at: number | null
  read_marker_at: number | null
}

type PrefetchedChannel = ChannelRow & Pick<Membership, 'read_marker_at'>

interface Prefetch {
  sortBy: string | undefined
  now: number
  pageMax?: number
}

/**
 * The payloads of CHANNEL_DETAILS for a session with a prefetch: the user's channels, unread ones first unless only the
 * time of the last message counts, each with its newest messages and some of its members. A channel that the user leaves
 * before its payload is due is left out.
 */
export async function* channelDetails(
  read: Reader,
  userArn: string,
  { sortBy, now, pageMax = membershipsPerPage }: Prefetch,
): AsyncGenerator<object> {
  const user = await findUser(read, userArn)
  if (!user) return
  const first = new BoundedHeap(channelsMax, sortBy === 'last-message-timestamp' ? newestFirst : unreadFirst)
  for await (const page of membershipPages(read, user.user_id, pageMax)) {
    for (const membership of page) first.add(membership)
  }
  const visibleSince = await readVisibleSince(read, user.app_instance_arn, now)
  for (const { channel_id } of first.sorted()) {
    const payload = await details(read, channel_id, { user, visibleSince })
    if (payload) yield payload
  }
}

/** All memberships of the user, in the order of the channels' numbers. The event loop is free between the pages. */
async function* membershipPages(read: Reader, userId: number, pageMax: number): AsyncGenerator<Membership[]> {
  let after = 0
  for (;;) {
    const page = await read.all<Membership>(
      `SELECT channel_head.channel_id, last_message_at, read_marker_at
       FROM channel_membership CROSS JOIN channel_head
       WHERE member_id = $1 AND channel_membership.channel_id > $2
         AND channel_head.channel_id = channel_membership.channel_id AND channel_head.deleted_at IS NULL
       ORDER BY channel_membership.channel_id LIMIT $3`,
      userId,
      after,
      pageMax,
    )
    yield page
    const last = page.at(-1)
    if (!last || page.length < pageMax) return
    after = last.channel_id
    await setImmediate()
  }
}

const newestFirst = (a: Membership, b: Membership): number =>
  (b.last_message_at ?? 0) - (a.last_message_at ?? 0) || b.channel_id - a.channel_id

const unreadFirst = (a: Membership, b: Membership): number =>
  Number(isUnread(b)) - Number(isUnread(a)) || newestFirst(a, b)

const isUnread = ({ last_message_at, read_marker_at }: Membership): boolean =>
  (last_message_at ?? 0) > (read_marker_at ?? 0)

/** Undefined if the user is no member any more. That is read last: the messages are then those that a member may see. */
async function details(
  read: Reader,
  channelId: number,
  { user, visibleSince }: { user: NamedUser; visibleSince: number },
): Promise<object | undefined> {
  const newest = await read.all<MessageRow>(
    `SELECT * FROM message_view WHERE channel_id = $1 AND ${visibleTo('$2')} ORDER BY seq DESC LIMIT $3`,
    channelId,
    user.user_id,
    messagesMax + 1,
  )
  const messages = newest.filter(({ created_at }) => created_at >= visibleSince)
  const members = await read.all<NamedUser>(
    `SELECT user_id, app_instance_user_arn, name FROM channel_membership
     JOIN app_instance_user ON user_id = member_id
     WHERE channel_id = $1 AND type = 'DEFAULT' ORDER BY member_id LIMIT $2`,
    channelId,
    membershipsMax,
  )
  const channel = await read.get<PrefetchedChannel>(
    `SELECT channel_view.*, read_marker_at FROM channel_view
     JOIN channel_membership ON channel_membership.channel_id = channel_view.channel_id
     WHERE channel_view.channel_id = $1 AND member_id = $2`,
    channelId,
    user.user_id,
  )
  if (!channel) return undefined
  return {
    Channel: channelSummary(channel, isoText),
    ChannelMessages: messages
      .slice(0, messagesMax)
      .map((row) => messageSummary(seenBy(user.app_instance_user_arn, row), isoText)),
    ChannelMemberships: members.map((user) => ({ Member: identityOf(user) })),
    ReadMarkerTimestamp: channel.read_marker_at === null ? undefined : isoText(channel.read_marker_at),
    ChannelMessagesHasMore: messages.length > messagesMax,
  }
}
