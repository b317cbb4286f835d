import { notFound } from '../../contract/api-error.ts'
import { bearer, optional, path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { ChannelBan } from '../../contract/structures/channel-bans.ts'
import { mayModerateChannel } from '../access.ts'
import { identityOf } from '../app-instance-users/app-instance-user.ts'
import { ban, findRole, roleToWire } from '../channel-role.ts'
import { operation } from '../context.ts'

export const DescribeChannelBan = operation({
  name: 'DescribeChannelBan',
  http: 'GET /channels/{ChannelArn}/bans/{MemberArn} 200',
  input: { ChannelArn: path(ChimeArn), MemberArn: path(ChimeArn), ChimeBearer: bearer() },
  output: { ChannelBan: optional(ChannelBan) },
  errors: ['BadRequest', 'Forbidden', 'NotFound'],
  resources: ['ChimeBearer', 'ChannelArn', 'MemberArn'],
  allow: mayModerateChannel,
  async handle({ ChannelArn, MemberArn }, { read }, { channel }) {
    const row = await findRole(read, ban, channel.channel_id, MemberArn)
    if (!row) throw notFound('The user is not banned from the channel')
    return {
      ChannelBan: {
        Member: identityOf(row),
        ChannelArn,
        ...roleToWire(row),
      },
    }
  },
})
