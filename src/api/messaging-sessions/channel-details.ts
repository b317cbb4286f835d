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

type PrefetchedChannel = ChannelRow & { read_marker_at: number | null }

/**
 * The payloads of CHANNEL_DETAILS for a session with a prefetch: the user's channels, unread ones first unless only the
 * time of the last message counts, each with its newest messages and some of its members.
 */
export async function* channelDetails(
  read: Reader,
  userArn: string,
  { sortBy, now }: { sortBy: string | undefined; now: number },
): AsyncGenerator<object> {
  const user = await findUser(read, userArn)
  if (!user) return
  const unreadFirst =
    sortBy === 'last-message-timestamp' ? '' : '(coalesce(last_message_at, 0) > coalesce(read_marker_at, 0)) DESC,'
  const channels = await read.all<PrefetchedChannel>(
    `SELECT channel_view.*, read_marker_at FROM channel_membership
     JOIN channel_view ON channel_view.channel_id = channel_membership.channel_id
     WHERE member_id = $1 ORDER BY ${unreadFirst} coalesce(last_message_at, 0) DESC LIMIT $2`,
    user.user_id,
    channelsMax,
  )
  const visibleSince = await readVisibleSince(read, user.app_instance_arn, now)
  for (const channel of channels) yield await details(read, channel, { user, visibleSince })
}

async function details(
  read: Reader,
  channel: PrefetchedChannel,
  { user, visibleSince }: { user: NamedUser; visibleSince: number },
): Promise<object> {
  const newest = await read.all<MessageRow>(
    `SELECT * FROM message_view WHERE channel_id = $1 AND ${visibleTo('$2')} ORDER BY seq DESC LIMIT $3`,
    channel.channel_id,
    user.user_id,
    messagesMax + 1,
  )
  const messages = newest.filter(({ created_at }) => created_at >= visibleSince)
  const members = await read.all<NamedUser>(
    `SELECT user_id, app_instance_user_arn, name FROM channel_membership
     JOIN app_instance_user ON user_id = member_id
     WHERE channel_id = $1 AND type = 'DEFAULT' ORDER BY member_id LIMIT $2`,
    channel.channel_id,
    membershipsMax,
  )
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
