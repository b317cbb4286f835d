import Type from 'typebox'
import { bearer, optional, path } from '../../contract/binding.ts'
import { ChimeArn, NextToken } from '../../contract/shapes.ts'
import { ChannelBanSummary } from '../../contract/structures/channel-bans.ts'
import { mayModerateChannel } from '../access.ts'
import { identityOf, type NamedUser } from '../app-instance-users/app-instance-user.ts'
import { operation } from '../context.ts'
import { pageMembers, readPage } from '../paging.ts'

/** In the order in which the users were created. */
export const ListChannelBans = operation({
  name: 'ListChannelBans',
  http: 'GET /channels/{ChannelArn}/bans 200',
  input: { ChannelArn: path(ChimeArn), ...pageMembers, ChimeBearer: bearer() },
  output: {
    ChannelArn: optional(ChimeArn),
    NextToken: optional(NextToken),
    ChannelBans: optional(Type.Array(ChannelBanSummary)),
  },
  errors: ['BadRequest', 'Forbidden'],
  resources: ['ChimeBearer', 'ChannelArn'],
  allow: mayModerateChannel,
  async handle(input, context, { channel }) {
    const { page, NextToken } = await readPage(context, input, {
      start: 0,
      rowsAfter: (memberId, rowsMax) =>
        context.read.all<NamedUser>(
          `SELECT user_id, app_instance_user_arn, name FROM channel_ban JOIN app_instance_user ON user_id = member_id
           WHERE channel_id = $1 AND member_id > $2 AND deleted_at IS NULL ORDER BY member_id LIMIT $3`,
          channel.channel_id,
          memberId,
          rowsMax,
        ),
      positionOf: (user) => user.user_id,
    })
    return { ChannelArn: input.ChannelArn, ChannelBans: page.map((user) => ({ Member: identityOf(user) })), NextToken }
  },
})
