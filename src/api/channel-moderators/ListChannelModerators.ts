import Type from 'typebox'
import { bearer, optional, path } from '../../contract/binding.ts'
import { ChimeArn, NextToken } from '../../contract/shapes.ts'
import { ChannelModeratorSummary } from '../../contract/structures/channel-moderators.ts'
import { mayModerateChannel } from '../access.ts'
import { identityOf, type NamedUser } from '../app-instance-users/app-instance-user.ts'
import { operation } from '../context.ts'
import { pageMembers, readPage } from '../paging.ts'

/** In the order in which the users were created. */
export const ListChannelModerators = operation({
  name: 'ListChannelModerators',
  http: 'GET /channels/{ChannelArn}/moderators 200',
  input: { ChannelArn: path(ChimeArn), ...pageMembers, ChimeBearer: bearer() },
  output: {
    ChannelArn: optional(ChimeArn),
    NextToken: optional(NextToken),
    ChannelModerators: optional(Type.Array(ChannelModeratorSummary)),
  },
  errors: ['BadRequest', 'Forbidden'],
  resources: ['ChimeBearer', 'ChannelArn'],
  allow: mayModerateChannel,
  async handle(input, context, { channel }) {
    const { page, NextToken } = await readPage(context, input, {
      start: 0,
      rowsAfter: (moderatorId, rowsMax) =>
        context.read.all<NamedUser>(
          `SELECT user_id, app_instance_user_arn, name FROM channel_moderator
           JOIN app_instance_user ON user_id = moderator_id
           WHERE channel_id = $1 AND moderator_id > $2 AND deleted_at IS NULL ORDER BY moderator_id LIMIT $3`,
          channel.channel_id,
          moderatorId,
          rowsMax,
        ),
      positionOf: (user) => user.user_id,
    })
    const ChannelModerators = page.map((user) => ({ Moderator: identityOf(user) }))
    return { ChannelArn: input.ChannelArn, ChannelModerators, NextToken }
  },
})
