import Type from 'typebox'
import { bearer, optional, query } from '../../contract/binding.ts'
import { ChimeArn, NextToken } from '../../contract/shapes.ts'
import { ChannelModeratedByAppInstanceUserSummary } from '../../contract/structures/channels.ts'
import type { ChannelRow } from '../../store/tables.ts'
import { selfOrAdmin } from '../access.ts'
import { channelSummary } from '../channels/channel.ts'
import { operation } from '../context.ts'
import { pageMembers, readPage } from '../paging.ts'
import { epochSeconds } from '../times.ts'

/** In the order in which the channels were created. Without a user, the list is the bearer's. */
export const ListChannelsModeratedByAppInstanceUser = operation({
  name: 'ListChannelsModeratedByAppInstanceUser',
  http: 'GET /channels?scope=app-instance-user-moderated-channels 200',
  input: {
    AppInstanceUserArn: query('app-instance-user-arn', optional(ChimeArn)),
    ...pageMembers,
    ChimeBearer: bearer(),
  },
  output: {
    Channels: optional(Type.Array(ChannelModeratedByAppInstanceUserSummary)),
    NextToken: optional(NextToken),
  },
  errors: ['BadRequest', 'Forbidden'],
  resources: ['ChimeBearer', 'AppInstanceUserArn'],
  allow: selfOrAdmin,
  async handle(input, context, { user }) {
    const { page, NextToken } = await readPage(context, input, {
      start: 0,
      rowsAfter: (channelId, rowsMax) =>
        context.read.all<ChannelRow>(
          `SELECT channel_view.* FROM channel_moderator
           JOIN channel_view ON channel_view.channel_id = channel_moderator.channel_id
           WHERE moderator_id = $1 AND channel_moderator.channel_id > $2
           ORDER BY channel_moderator.channel_id LIMIT $3`,
          user.user_id,
          channelId,
          rowsMax,
        ),
      positionOf: (channel) => channel.channel_id,
    })
    const Channels = page.map((channel) => ({ ChannelSummary: channelSummary(channel, epochSeconds) }))
    return { Channels, NextToken }
  },
})
