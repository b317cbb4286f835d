import { forbidden } from '../../contract/api-error.ts'
import { bearer, optional, path, query } from '../../contract/binding.ts'
import { ChimeArn, MessageId, SubChannelId } from '../../contract/shapes.ts'
import { ChannelMessageStatusStructure } from '../../contract/structures/channel-messages.ts'
import { accessTo } from '../access.ts'
import { operation } from '../context.ts'
import { rejectSubChannel } from '../sub-channels.ts'
import { findMessage, statusToWire } from './channel-message.ts'

/**
 * The status of the bearer's own messages only. If the latest update is held or has failed, the status is the update's.
 * A denied message is not stored, so it has no status either.
 */
export const GetChannelMessageStatus = operation({
  name: 'GetChannelMessageStatus',
  http: 'GET /channels/{ChannelArn}/messages/{MessageId}?scope=message-status 200',
  input: {
    ChannelArn: path(ChimeArn),
    MessageId: path(MessageId),
    ChimeBearer: bearer(),
    SubChannelId: query('sub-channel-id', optional(SubChannelId)),
  },
  output: { Status: optional(ChannelMessageStatusStructure) },
  errors: ['BadRequest', 'Forbidden'],
  resources: ['ChimeBearer', 'ChannelArn'],
  allow: accessTo,
  async handle({ MessageId, SubChannelId }, { read }, { channel, bearer: reader }) {
    rejectSubChannel(SubChannelId)
    const row = await findMessage(read, channel.channel_id, MessageId)
    if (row?.sender_id !== reader.user_id) throw forbidden()
    const { update_status, update_detail } = row
    return { Status: statusToWire(update_status ? { status: update_status, status_detail: update_detail } : row) }
  },
})
