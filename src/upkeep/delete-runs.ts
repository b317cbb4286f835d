import { stepIsOpen } from '../store/steps.ts'
import type { Transaction, Value } from '../store/store.ts'

/**
 * Deletes runs of the channel $1 with their steps. `runs` is a condition on flow_run in SQL; its placeholders start at $2. A
 * run has the id of its latest step, and each step the id of the previous one.
 */
export async function deleteRuns(
  transaction: Transaction,
  channelId: number,
  runs: string,
  ...values: Value[]
): Promise<void> {
  await transaction.run(
    `WITH RECURSIVE chain (callback_id) AS (
       SELECT callback_id FROM flow_run WHERE channel_id = $1 AND ${runs}
       UNION ALL
       SELECT previous_callback_id FROM chain JOIN flow_step
         ON flow_step.channel_id = $1 AND flow_step.callback_id = chain.callback_id
       WHERE previous_callback_id IS NOT NULL
     )
     DELETE FROM flow_step WHERE channel_id = $1 AND callback_id IN (SELECT callback_id FROM chain)`,
    channelId,
    ...values,
  )
  const deleted = await transaction.run(`DELETE FROM flow_run WHERE channel_id = $1 AND ${runs}`, channelId, ...values)
  if (deleted > 0) transaction.erasesText()
}

/** In SQL: no step of the run waits for a verdict. */
export const runIsOver = `NOT EXISTS (
  SELECT 1 FROM flow_step WHERE flow_step.channel_id = flow_run.channel_id
    AND flow_step.callback_id = flow_run.callback_id AND ${stepIsOpen})`
