import { notFound } from '../../contract/api-error.ts'
import { bearer, optional, path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { ChannelModerator } from '../../contract/structures/channel-moderators.ts'
import { mayModerateChannel } from '../access.ts'
import { identityOf } from '../app-instance-users/app-instance-user.ts'
import { findRole, moderator, roleToWire } from '../channel-role.ts'
import { operation } from '../context.ts'

export const DescribeChannelModerator = operation({
  name: 'DescribeChannelModerator',
  http: 'GET /channels/{ChannelArn}/moderators/{ChannelModeratorArn} 200',
  input: { ChannelArn: path(ChimeArn), ChannelModeratorArn: path(ChimeArn), ChimeBearer: bearer() },
  output: { ChannelModerator: optional(ChannelModerator) },
  errors: ['BadRequest', 'Forbidden', 'NotFound'],
  resources: ['ChimeBearer', 'ChannelArn', 'ChannelModeratorArn'],
  allow: mayModerateChannel,
  async handle({ ChannelArn, ChannelModeratorArn }, { read }, { channel }) {
    const row = await findRole(read, moderator, channel.channel_id, ChannelModeratorArn)
    if (!row) throw notFound('The user is not a moderator of the channel')
    return {
      ChannelModerator: {
        Moderator: identityOf(row),
        ChannelArn,
        ...roleToWire(row),
      },
    }
  },
})
