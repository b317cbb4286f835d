import { againOf } from '../../flow/decision.ts'
import { findStepRows } from '../../store/step-rows.ts'
import { free, stepIsOpen } from '../../store/steps.ts'
import type { Job, StepRow } from '../../store/tables.ts'
import type { Context } from '../context.ts'
import { decidedMeanwhile } from './held-message.ts'

/** So often the rows are read, if another write changes them each time: a step has few writes. */
const readingsMax = 8

/** The guard is what was read: the outcome of an attempt changes the state or the owner. */
const takeText = `UPDATE flow_step SET state = $3, tries = $4, attempts = $5, owner = $6, due_at = $7, attempts_json = $8
  WHERE channel_id = $1 AND callback_id = $2 AND state = $9 AND owner = $10 AND ${stepIsOpen}
    AND EXISTS (SELECT 1 FROM channel_head WHERE channel_id = $1 AND deleted_at IS NULL)`

/**
 * Makes this node the owner of the step, and invokes its processor again. If the event is at the processor of another node,
 * or of this one, for longer than a second, the processor gets it twice; the first verdict wins. Resolves to false if the
 * step waits for a place already, or got it within the last second. Throws a Conflict if the step has ended meanwhile.
 */
export async function handAgain(held: Job, context: Context): Promise<boolean> {
  const { channel_arn: channelArn, callback_id: callbackId } = held.step
  let job = held
  for (let reading = 0; reading < readingsMax; reading += 1) {
    if (waitsForPlace(job.step, context)) return false
    const step = await take(job, context)
    if (step) {
      context.engine.handAgain({ ...job, step })
      return true
    }
    const rows = await findStepRows(context.read, channelArn, callbackId)
    if (!rows?.message) break
    job = { ...rows, message: rows.message }
  }
  throw decidedMeanwhile()
}

/** The hand-off is written a second later: until then the row of an owned step says that it waits. */
const waitsForPlace = ({ state, owner, callback_id }: StepRow, { engine }: Context) =>
  state === 'DISPATCHING' && owner !== free && !engine.attemptIsOver(callback_id)

/** Resolves to the row that was written; undefined if it was not as it was read. */
async function take(job: Job, context: Context): Promise<StepRow | undefined> {
  const { store, credentials } = context
  const change = againOf(job, credentials.accessKeyId, context.node, { ...context, now: context.now() })
  if (!change) throw decidedMeanwhile()
  const { step } = change
  const key = [step.channel_id, step.callback_id] as const
  const state = [step.state, step.tries, step.attempts, step.owner, step.due_at, step.attempts_json] as const
  const { changed } = await store.transaction(async (transaction) => {
    const changed = await transaction.run(takeText, ...key, ...state, job.step.state, job.step.owner)
    return { ChannelArn: step.channel_arn, changed }
  }, 'read committed')
  return changed === 1 ? step : undefined
}
