import { conflict, forbidden } from '../../contract/api-error.ts'
import { bearer, optional, path } from '../../contract/binding.ts'
import { ChimeArn, MessageId, SubChannelId } from '../../contract/shapes.ts'
import type { MessageRow } from '../../store/tables.ts'
import { type ChannelAccess, mayActInChannel } from '../access.ts'
import { operation } from '../context.ts'
import { append } from '../events/append.ts'
import { redactChannelMessage } from '../events/redact-channel-message.ts'
import { rejectSubChannel } from '../sub-channels.ts'
import { findMessage, withoutText } from './channel-message.ts'
import { dropUpdate } from './pending-update.ts'

/** The sender, moderators and admins may empty a sent message. A pending update of it ends. */
export const RedactChannelMessage = operation({
  name: 'RedactChannelMessage',
  http: 'POST /channels/{ChannelArn}/messages/{MessageId}?operation=redact 200',
  input: {
    ChannelArn: path(ChimeArn),
    MessageId: path(MessageId),
    ChimeBearer: bearer(),
    SubChannelId: optional(SubChannelId),
  },
  output: { ChannelArn: optional(ChimeArn), MessageId: optional(MessageId), SubChannelId: optional(SubChannelId) },
  errors: ['BadRequest', 'Conflict', 'Forbidden'],
  resources: ['ChimeBearer', 'ChannelArn'],
  rate: 'messages',
  allow: mayActInChannel,
  async handle({ ChannelArn, MessageId, SubChannelId }, context, access) {
    rejectSubChannel(SubChannelId)
    const { channel_id } = access.channel
    return context.store.transaction(async (transaction) => {
      const message = await findMessage(transaction, channel_id, MessageId)
      requireRedactable(message, access)
      if (message.redacted) return { ChannelArn, MessageId }
      const now = context.now()
      await dropUpdate(transaction, message, 'The message was redacted', now)
      const redacted = withoutText(message, now)
      await transaction.run(
        `UPDATE channel_message SET redacted = 1, content = $3, metadata = NULL, content_type = NULL,
           message_attributes_json = NULL, push_notification_json = NULL, updated_at = $4,
           update_status = NULL, update_detail = NULL WHERE channel_id = $1 AND message_id = $2`,
        channel_id,
        MessageId,
        redacted.content,
        redacted.updated_at,
      )
      await append(transaction, redactChannelMessage, redacted, redacted.updated_at)
      return { ChannelArn, MessageId }
    })
  },
})

/** Only the sender may see that the message is not sent yet; until then it does not exist for other users. */
function requireRedactable(
  message: MessageRow | undefined,
  { bearer, moderates, administers }: ChannelAccess,
): asserts message is MessageRow {
  if (!message) throw forbidden()
  const own = message.sender_arn === bearer.app_instance_user_arn
  const sees = message.target_arn === null || message.target_arn === bearer.app_instance_user_arn
  if (!own && !(sees && (moderates || administers))) throw forbidden()
  if (message.status === 'SENT') return
  throw own ? conflict(`A message that is ${message.status} cannot be redacted`) : forbidden()
}
