import Type from 'typebox'
import { forbidden } from '../../contract/api-error.ts'
import { bearer, optional, path, query } from '../../contract/binding.ts'
import { ChannelMembershipType, ChimeArn, NextToken, SubChannelId } from '../../contract/shapes.ts'
import { ChannelMembershipSummary } from '../../contract/structures/channel-memberships.ts'
import { maySeeChannel } from '../access.ts'
import { identityOf, type NamedUser } from '../app-instance-users/app-instance-user.ts'
import { operation } from '../context.ts'
import { pageMembers, readPage } from '../paging.ts'
import { rejectSubChannel } from '../sub-channels.ts'

/**
 * In the order in which the users were created. HIDDEN members are listed only on request, and only for moderators and
 * admins.
 */
export const ListChannelMemberships = operation({
  name: 'ListChannelMemberships',
  http: 'GET /channels/{ChannelArn}/memberships 200',
  input: {
    ChannelArn: path(ChimeArn),
    ChimeBearer: bearer(),
    Type: query('type', optional(ChannelMembershipType)),
    ...pageMembers,
    SubChannelId: query('sub-channel-id', optional(SubChannelId)),
  },
  output: {
    ChannelArn: optional(ChimeArn),
    NextToken: optional(NextToken),
    ChannelMemberships: optional(Type.Array(ChannelMembershipSummary)),
  },
  errors: ['BadRequest', 'Forbidden'],
  resources: ['ChimeBearer', 'ChannelArn'],
  rate: 'lists',
  async allow(input, context) {
    const access = await maySeeChannel(input, context)
    if (input.Type === 'HIDDEN' && !access.moderates && !access.administers) throw forbidden()
    return access
  },
  async handle(input, context, { channel }) {
    rejectSubChannel(input.SubChannelId)
    const { ChannelArn, Type: type = 'DEFAULT' } = input
    const { page, NextToken } = await readPage(context, input, {
      start: 0,
      rowsAfter: (memberId, rowsMax) =>
        context.read.all<NamedUser>(
          // The type is in the text, since an index has the HIDDEN memberships only.
          `SELECT user_id, app_instance_user_arn, name FROM channel_membership
           JOIN app_instance_user ON user_id = member_id
           WHERE channel_id = $1 AND type = '${type}' AND member_id > $2 AND deleted_at IS NULL
           ORDER BY member_id LIMIT $3`,
          channel.channel_id,
          memberId,
          rowsMax,
        ),
      positionOf: (user) => user.user_id,
    })
    return { ChannelArn, ChannelMemberships: page.map((user) => ({ Member: identityOf(user) })), NextToken }
  },
})
