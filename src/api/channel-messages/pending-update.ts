import { requestedText } from '../../flow/decision.ts'
import type { Transaction } from '../../store/store.ts'
import type { MessageRow, RunRow } from '../../store/tables.ts'
import { append } from '../events/append.ts'
import { failedUpdateChannelMessage } from '../events/update-channel-message.ts'

/**
 * Ends the pending update, if there is one: later callbacks of its processors are rejected, and its sender receives the
 * reason. A pending update must not prevent moderators from acting on a message.
 */
export async function dropUpdate(
  transaction: Transaction,
  message: MessageRow,
  detail: string,
  now: number,
): Promise<void> {
  if (message.update_status !== 'PENDING') return
  const { channel_id, message_id, revision } = message
  const key = [channel_id, message_id, revision] as const
  const where = `WHERE channel_id = $1 AND message_id = $2 AND revision = $3 AND state = 'RUNNING'`
  const run = await transaction.get<RunRow>(`SELECT * FROM run_view ${where}`, ...key)
  if (!run) return
  // In lock order, the step before its run, as a verdict locks them.
  await transaction.endStep(run, now)
  // An ended run keeps no flow and no text.
  await transaction.run(
    `UPDATE flow_run SET state = 'FAILED', processors_json = '[]', requested_json = NULL, text_json = NULL, ended_at = $4
     ${where}`,
    ...key,
    now,
  )
  const shown: MessageRow = {
    ...message,
    ...requestedText({ run, message }),
    status: 'FAILED',
    status_detail: detail,
    edited_at: run.created_at,
  }
  await append(transaction, failedUpdateChannelMessage, shown, now)
}
