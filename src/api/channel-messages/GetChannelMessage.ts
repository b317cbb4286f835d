import { bearer, optional, path, query } from '../../contract/binding.ts'
import { ChimeArn, MessageId, SubChannelId } from '../../contract/shapes.ts'
import { ChannelMessage } from '../../contract/structures/channel-messages.ts'
import { maySeeChannel } from '../access.ts'
import { operation } from '../context.ts'
import { refuseSubChannel } from '../sub-channels.ts'
import { epochSeconds } from '../times.ts'
import { messageToWire, requireVisibleMessage, seenBy } from './channel-message.ts'

/** While a flow holds the message, only its sender gets it: not even moderators and admins do. */
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
  allow: maySeeChannel,
  async handle({ MessageId, ChimeBearer, SubChannelId }, { read }, { channel, bearer: reader }) {
    refuseSubChannel(SubChannelId)
    const row = await requireVisibleMessage(read, channel.channel_id, MessageId, reader.user_id)
    return { ChannelMessage: messageToWire(seenBy(ChimeBearer, row), epochSeconds) }
  },
})
