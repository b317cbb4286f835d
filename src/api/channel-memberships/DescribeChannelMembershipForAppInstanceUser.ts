import { forbidden } from '../../contract/api-error.ts'
import { bearer, optional, path, query } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { ChannelMembershipForAppInstanceUserSummary } from '../../contract/structures/channel-memberships.ts'
import { selfOrAdmin } from '../access.ts'
import { operation } from '../context.ts'
import { type JoinedChannelRow, joinedChannelSummary } from './membership-to-wire.ts'

export const DescribeChannelMembershipForAppInstanceUser = operation({
  name: 'DescribeChannelMembershipForAppInstanceUser',
  http: 'GET /channels/{ChannelArn}?scope=app-instance-user-membership 200',
  input: {
    ChannelArn: path(ChimeArn),
    AppInstanceUserArn: query('app-instance-user-arn', ChimeArn),
    ChimeBearer: bearer(),
  },
  output: { ChannelMembership: optional(ChannelMembershipForAppInstanceUserSummary) },
  errors: ['BadRequest', 'Forbidden'],
  resources: ['ChimeBearer', 'ChannelArn', 'AppInstanceUserArn'],
  allow: selfOrAdmin,
  async handle({ ChannelArn }, { read }, { bearer: reader, user }) {
    const row = await read.get<JoinedChannelRow>(
      `SELECT channel_view.*, type, read_marker_at FROM channel_view
       JOIN channel_membership ON channel_membership.channel_id = channel_view.channel_id
       WHERE channel_view.channel_arn = $1 AND member_id = $2`,
      ChannelArn,
      user.user_id,
    )
    if (!row) throw forbidden()
    return { ChannelMembership: joinedChannelSummary(row, { isOwner: user.user_id === reader.user_id }) }
  },
})
