import type { Job } from '../store/tables.ts'
import { functionNameOfStep } from './decision.ts'
import type { Happening } from './outcome.ts'
import type { QueuedStep } from './step-lanes.ts'

/** A step in the memory of this node: in the queue, at its processor, or while its outcome is being written. */
export interface LoadedStep extends QueuedStep, Happening {
  /** Its attempt is over, and the outcome is not written yet. */
  outcomePending: boolean
}

/** `order`: its place among the steps that were loaded. */
export function loadedStepOf(job: Job, order: number): LoadedStep {
  const { function_arn: functionArn, channel_arn: channelArn, channel_id: channelId, due_at: dueAt } = job.step
  const functionName = functionNameOfStep(job.step)
  const queued = { functionName, functionArn, channelArn, channelId, dueAt, order }
  return { ...queued, job, outcomePending: false, notApplied: [], record: undefined }
}
