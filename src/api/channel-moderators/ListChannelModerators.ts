import Type from 'typebox'
import { bearer, optional, path } from '../../contract/binding.ts'
import { ChimeArn, NextToken } from '../../contract/shapes.ts'
import { ChannelModeratorSummary } from '../../contract/structures/channel-moderators.ts'
import { mayModerateChannel } from '../access.ts'
import { identityOf } from '../app-instance-users/app-instance-user.ts'
import { moderator, readRolePage } from '../channel-role.ts'
import { operation } from '../context.ts'
import { pageMembers } from '../paging.ts'

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
  rate: 'lists',
  allow: mayModerateChannel,
  async handle(input, context, { channel }) {
    const { page, NextToken } = await readRolePage(context, input, moderator, channel.channel_id)
    const ChannelModerators = page.map((user) => ({ Moderator: identityOf(user) }))
    return { ChannelArn: input.ChannelArn, ChannelModerators, NextToken }
  },
})
