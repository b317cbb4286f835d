import type { Reader } from '../../store/store.ts'
import type { RunRow } from '../../store/tables.ts'
import { findMessage, statusToWire } from './channel-message.ts'

/** What a ClientRequestToken remembers of a message. The answer to a repeated send is its status as it is by then. */
export interface AcceptedMessage {
  messageId: string
  revision: number
}

/** The run outlives a message that was denied or leaves no row, and knows how it ended. */
export async function currentStatus(read: Reader, channelArn: string, { messageId, revision }: AcceptedMessage) {
  const message = await findMessage(read, channelArn, messageId)
  if (message) return statusToWire(message)
  const run = await read.get<RunRow>(
    'SELECT * FROM flow_run WHERE channel_arn = $1 AND message_id = $2 AND revision = $3',
    channelArn,
    messageId,
    revision,
  )
  const status = run && run.state !== 'RUNNING' ? run.state : 'SENT'
  return statusToWire({ status, status_detail: null })
}
