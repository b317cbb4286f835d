import { bearer, optional, path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { Channel } from '../../contract/structures/channels.ts'
import { maySeeChannel } from '../access.ts'
import { operation } from '../context.ts'
import { epochSeconds } from '../times.ts'
import { channelToWire } from './channel.ts'

export const DescribeChannel = operation({
  name: 'DescribeChannel',
  http: 'GET /channels/{ChannelArn} 200',
  input: { ChannelArn: path(ChimeArn), ChimeBearer: bearer() },
  output: { Channel: optional(Channel) },
  errors: ['BadRequest', 'Forbidden'],
  resources: ['ChimeBearer', 'ChannelArn'],
  rate: 'description',
  allow: maySeeChannel,
  handle: (_input, _context, { channel }) => ({ Channel: channelToWire(channel, epochSeconds) }),
})
