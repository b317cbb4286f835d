import { forbidden } from '../../contract/api-error.ts'
import { bearer, optional, path, query } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { ChannelModeratedByAppInstanceUserSummary } from '../../contract/structures/channels.ts'
import type { ChannelRow } from '../../store/tables.ts'
import { selfOrAdmin } from '../access.ts'
import { channelSummary } from '../channels/channel.ts'
import { operation } from '../context.ts'
import { epochSeconds } from '../times.ts'

export const DescribeChannelModeratedByAppInstanceUser = operation({
  name: 'DescribeChannelModeratedByAppInstanceUser',
  http: 'GET /channels/{ChannelArn}?scope=app-instance-user-moderated-channel 200',
  input: {
    ChannelArn: path(ChimeArn),
    AppInstanceUserArn: query('app-instance-user-arn', ChimeArn),
    ChimeBearer: bearer(),
  },
  output: { Channel: optional(ChannelModeratedByAppInstanceUserSummary) },
  errors: ['BadRequest', 'Forbidden'],
  resources: ['ChimeBearer', 'ChannelArn', 'AppInstanceUserArn'],
  allow: selfOrAdmin,
  async handle({ ChannelArn }, { read }, { user }) {
    const channel = await read.get<ChannelRow>(
      `SELECT channel_view.* FROM channel_view
       JOIN channel_moderator ON channel_moderator.channel_id = channel_view.channel_id
       WHERE channel_view.channel_arn = $1 AND moderator_id = $2`,
      ChannelArn,
      user.user_id,
    )
    if (!channel) throw forbidden()
    return { Channel: { ChannelSummary: channelSummary(channel, epochSeconds) } }
  },
})
