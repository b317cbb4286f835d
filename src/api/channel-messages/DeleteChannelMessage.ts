import { forbidden } from '../../contract/api-error.ts'
import { bearer, optional, path, query } from '../../contract/binding.ts'
import { ChimeArn, MessageId, SubChannelId } from '../../contract/shapes.ts'
import { accessTo } from '../access.ts'
import { operation } from '../context.ts'
import { append } from '../events/append.ts'
import { deleteChannelMessage } from '../events/delete-channel-message.ts'
import { rejectSubChannel } from '../sub-channels.ts'
import { findMessage, withoutText } from './channel-message.ts'
import { dropUpdate } from './pending-update.ts'

/** Only admins may delete, and only SENT messages. This includes targeted messages, which they may not read. */
export const DeleteChannelMessage = operation({
  name: 'DeleteChannelMessage',
  http: 'DELETE /channels/{ChannelArn}/messages/{MessageId} 204',
  input: {
    ChannelArn: path(ChimeArn),
    MessageId: path(MessageId),
    ChimeBearer: bearer(),
    SubChannelId: query('sub-channel-id', optional(SubChannelId)),
  },
  output: {},
  errors: ['BadRequest', 'Forbidden'],
  resources: ['ChimeBearer', 'ChannelArn'],
  rate: 'messages',
  async allow(input, context) {
    const access = await accessTo(input, context)
    if (!access.administers) throw forbidden()
    return access
  },
  async handle({ MessageId, SubChannelId }, context, { channel }) {
    rejectSubChannel(SubChannelId)
    return context.store.transaction(async (transaction) => {
      const now = context.now()
      const message = await findMessage(transaction, channel.channel_id, MessageId)
      if (message?.status !== 'SENT') throw forbidden()
      await dropUpdate(transaction, message, 'The message was deleted', now)
      await transaction.run(
        'DELETE FROM channel_message WHERE channel_id = $1 AND message_id = $2',
        channel.channel_id,
        MessageId,
      )
      const deleted = { ...withoutText(message, now), redacted: message.redacted }
      await append(transaction, deleteChannelMessage, deleted, now)
      return {}
    })
  },
})
