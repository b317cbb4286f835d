import type { Reader } from '../../store/store.ts'
import type { MessageRow, RunRow } from '../../store/tables.ts'
import { findAnswer, type TokenedCall } from '../idempotency.ts'
import type { AcceptedMessage, TransientTokens } from '../transient-tokens.ts'
import { findMessage, statusToWire } from './channel-message.ts'

export const acceptedMessage = (message: Pick<MessageRow, 'message_id' | 'revision'>): AcceptedMessage => ({
  messageId: message.message_id,
  revision: message.revision,
})

/** The message that this call sent before. Throws a Conflict if the token belongs to another call. */
export const findAccepted = async (
  call: TokenedCall,
  { read, transientTokens }: { read: Reader; transientTokens: TransientTokens },
): Promise<AcceptedMessage | undefined> => (await findAnswer<AcceptedMessage>(read, call)) ?? transientTokens.find(call)

/** The status of an accepted message, even if its row was deleted. */
export async function currentStatus(read: Reader, channelId: number, { messageId, revision }: AcceptedMessage) {
  const message = await findMessage(read, channelId, messageId)
  if (message) return statusToWire(message)
  const run = await read.get<RunRow>(
    'SELECT * FROM run_view WHERE channel_id = $1 AND message_id = $2 AND revision = $3',
    channelId,
    messageId,
    revision,
  )
  // The run outlives the message and has its result. A message without a run had no flow and was SENT at once: it was
  // NON_PERSISTENT, which has no row, or was deleted later.
  const status = run && run.state !== 'RUNNING' ? run.state : 'SENT'
  return statusToWire({ status, status_detail: null })
}
