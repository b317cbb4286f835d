import Type from 'typebox'
import { bearer, optional, query } from '../../contract/binding.ts'
import { ChimeArn, NextToken } from '../../contract/shapes.ts'
import { ChannelMembershipForAppInstanceUserSummary } from '../../contract/structures/channel-memberships.ts'
import { selfOrAdmin } from '../access.ts'
import { operation } from '../context.ts'
import { pageMembers, readPage } from '../paging.ts'
import { type JoinedChannelRow, joinedChannelSummary } from './membership-to-wire.ts'

/** In the order in which the channels were created. Without a user, as in AWS's chat demo, the list is the bearer's. */
export const ListChannelMembershipsForAppInstanceUser = operation({
  name: 'ListChannelMembershipsForAppInstanceUser',
  http: 'GET /channels?scope=app-instance-user-memberships 200',
  input: {
    AppInstanceUserArn: query('app-instance-user-arn', optional(ChimeArn)),
    ...pageMembers,
    ChimeBearer: bearer(),
  },
  output: {
    ChannelMemberships: optional(Type.Array(ChannelMembershipForAppInstanceUserSummary)),
    NextToken: optional(NextToken),
  },
  errors: ['BadRequest', 'Forbidden'],
  resources: ['ChimeBearer', 'AppInstanceUserArn'],
  allow: selfOrAdmin,
  async handle(input, context, { bearer: reader, user }) {
    const { page, NextToken } = await readPage(context, input, {
      start: 0,
      rowsAfter: (channelId, rowsMax) =>
        context.read.all<JoinedChannelRow>(
          `SELECT channel_view.*, type, read_marker_at FROM channel_membership
           JOIN channel_view ON channel_view.channel_id = channel_membership.channel_id
           WHERE member_id = $1 AND channel_membership.channel_id > $2
           ORDER BY channel_membership.channel_id LIMIT $3`,
          user.user_id,
          channelId,
          rowsMax,
        ),
      positionOf: (row) => row.channel_id,
    })
    const isOwner = user.user_id === reader.user_id
    return { ChannelMemberships: page.map((row) => joinedChannelSummary(row, { isOwner })), NextToken }
  },
})
