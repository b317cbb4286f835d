import Type from 'typebox'
import { bearer, optional, path } from '../../contract/binding.ts'
import { ChimeArn, NextToken } from '../../contract/shapes.ts'
import { ChannelBanSummary } from '../../contract/structures/channel-bans.ts'
import { mayModerateChannel } from '../access.ts'
import { identityOf } from '../app-instance-users/app-instance-user.ts'
import { ban, readRolePage } from '../channel-role.ts'
import { operation } from '../context.ts'
import { pageMembers } from '../paging.ts'

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
  rate: 'lists',
  allow: mayModerateChannel,
  async handle(input, context, { channel }) {
    const { page, NextToken } = await readRolePage(context, input, ban, channel.channel_id)
    return { ChannelArn: input.ChannelArn, ChannelBans: page.map((user) => ({ Member: identityOf(user) })), NextToken }
  },
})
