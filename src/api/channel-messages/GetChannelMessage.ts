import { bearer, optional, path, query } from '../../contract/binding.ts'
import { ChimeArn, MessageId, SubChannelId } from '../../contract/shapes.ts'
import { ChannelMessage } from '../../contract/structures/channel-messages.ts'
import { maySeeChannel } from '../access.ts'
import { readVisibleSince } from '../app-instances/retention.ts'
import { operation } from '../context.ts'
import { rejectSubChannel } from '../sub-channels.ts'
import { epochSeconds } from '../times.ts'
import { messageToWire, noMessage, requireVisibleMessage, seenBy } from './channel-message.ts'

/** While a flow holds the message, only its sender may read it; moderators and admins may not. */
export const GetChannelMessage = operation({
  name: 'GetChannelMessage',
  http: 'GET /channels/{ChannelArn}/messages/{MessageId} 200',
  input: {
    ChannelArn: path(ChimeArn),
    MessageId: path(MessageId),
    ChimeBearer: bearer(),
    SubChannelId: query('sub-channel-id', optional(SubChannelId)),
  },
  output: { ChannelMessage: optional(ChannelMessage) },
  errors: ['BadRequest', 'Forbidden', 'NotFound'],
  resources: ['ChimeBearer', 'ChannelArn'],
  rate: 'reading',
  allow: maySeeChannel,
  async handle({ MessageId, ChimeBearer, SubChannelId }, { read, now }, { channel, bearer: reader }) {
    rejectSubChannel(SubChannelId)
    const [row, visibleSince] = await Promise.all([
      requireVisibleMessage(read, channel.channel_id, MessageId, reader.user_id),
      readVisibleSince(read, channel.app_instance_arn, now()),
    ])
    if (row.created_at < visibleSince) throw noMessage()
    return { ChannelMessage: messageToWire(seenBy(ChimeBearer, row), epochSeconds) }
  },
})
