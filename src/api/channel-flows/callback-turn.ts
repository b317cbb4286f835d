import type { Reader } from '../../store/store.ts'
import type { MessageRow, RunRow, StepRow } from '../../store/tables.ts'
import { findMessage } from '../channel-messages/channel-message.ts'

/** The message may be gone already: one that was denied, or is NON_PERSISTENT, leaves no row. */
export interface ReadTurn {
  step: StepRow
  run: RunRow
  message: MessageRow | undefined
}

/** The turn of the step that the id names; undefined if the id is unknown, or another channel's. */
export async function findTurn(read: Reader, channelArn: string, callbackId: string): Promise<ReadTurn | undefined> {
  const step = await read.get<StepRow>(
    'SELECT * FROM flow_step WHERE channel_arn = $1 AND callback_id = $2',
    channelArn,
    callbackId,
  )
  if (!step) return undefined
  const run = await read.get<RunRow>(
    'SELECT * FROM flow_run WHERE channel_arn = $1 AND message_id = $2 AND revision = $3',
    channelArn,
    step.message_id,
    step.revision,
  )
  return run && { step, run, message: await findMessage(read, channelArn, step.message_id) }
}
