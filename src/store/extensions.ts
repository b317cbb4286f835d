import { free, stepIsOpen } from './steps.ts'
import type { Transaction } from './store.ts'
import type { StepRow } from './tables.ts'

/*
 * An operator extends the deadline of an open step in its row, on any node. Its owner is not notified: at the old deadline,
 * it takes the row again with TakeSteps and finds the new one. Until then the hot writes of the owner never move the row's
 * deadline back, and do not end the step at the old one (`stepAssignments` and `isNotExtended` in steps.ts).
 */

const dayMs = 86_400_000
/** The maximum of one extension: the longest deadline that a flow can have. */
export const extensionMsMax = 30 * dayMs
/** The maximum from the acceptance of a message to an extended deadline: three processors with the longest deadline. */
export const heldMsMax = 3 * extensionMsMax
/** So many extensions of a step are kept for the timeline, the latest ones. */
const extensionsKept = 8

/** One extension of a step's deadline, for the timeline. */
export interface Extension {
  at: number
  until: number
  /** The access key of the operator. */
  keyId: string
}

export const extensionsOf = (row: { extensions_json: string | null }): Extension[] =>
  row.extensions_json === null ? [] : (JSON.parse(row.extensions_json) as Extension[])

/** A free step that waits for its verdict is due at its deadline. An owned one keeps its due_at: its owner looks at it then. */
const extendText = `UPDATE flow_step SET deadline_at = deadline_at + $3,
    due_at = CASE WHEN owner = '${free}' AND state = 'AWAITING' AND due_at = deadline_at THEN due_at + $3 ELSE due_at END
  WHERE channel_id = $1 AND callback_id = $2 AND ${stepIsOpen} AND deadline_at > $4
    AND EXISTS (SELECT 1 FROM channel_head WHERE channel_id = $1 AND deleted_at IS NULL)`

/**
 * Moves the deadline of an open step to a later time. `over`: it has ended, or its deadline has passed. `too late`: the new
 * deadline would be after `latestAt`, and the transaction must be rolled back.
 */
export async function extendDeadline(
  transaction: Transaction,
  { channel_id, callback_id }: Pick<StepRow, 'channel_id' | 'callback_id'>,
  { at, byMs, keyId, latestAt }: { at: number; byMs: number; keyId: string; latestAt: number },
): Promise<'extended' | 'over' | 'too late'> {
  if ((await transaction.run(extendText, channel_id, callback_id, byMs, at)) === 0) return 'over'
  const row = await transaction.get<{ deadline_at: number; extensions_json: string | null }>(
    'SELECT deadline_at, extensions_json FROM flow_step WHERE channel_id = $1 AND callback_id = $2',
    channel_id,
    callback_id,
  )
  if (!row || row.deadline_at > latestAt) return 'too late'
  const extension: Extension = { at, until: row.deadline_at, keyId }
  await transaction.run(
    'UPDATE flow_step SET extensions_json = $3 WHERE channel_id = $1 AND callback_id = $2',
    channel_id,
    callback_id,
    JSON.stringify([...extensionsOf(row), extension].slice(-extensionsKept)),
  )
  return 'extended'
}
