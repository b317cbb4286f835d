import type { RecordHandOff } from '../store/changes.ts'
import type { Reader } from '../store/store.ts'
import type { StepRow } from '../store/tables.ts'

/** After so many failed rounds in a row, a function's steps are given back whenever one more round fails. */
export const roundsBeforeGivingBack = 3
/** How many steps of a function are given back after a round: so many rows are written, however many steps wait. */
export const givenBackMax = 256

/** Whether another node shares the store. It may be able to do what this one cannot. */
export async function isAnotherNodeAlive(read: Reader, owner: string): Promise<boolean> {
  return (await read.get('SELECT 1 FROM node WHERE node_id <> $1 LIMIT 1', owner)) !== undefined
}

/** The write that lets any node take the step from `dueAt` on. It counts as no try and no attempt. */
export const giveBack = (step: StepRow, dueAt: number): RecordHandOff => ({
  kind: 'RecordHandOff',
  step: { ...step, owner: '', due_at: Math.min(dueAt, step.deadline_at) },
  heldBy: step.owner,
})
