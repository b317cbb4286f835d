import type { HandOff } from '../processor/target.ts'
import type { RecordHandOff } from '../store/changes.ts'
import { free } from '../store/steps.ts'
import type { Job, StepRow } from '../store/tables.ts'
import { changeOf, type OwnNode, runOf } from './decision.ts'
import type { StepChange } from './step-writes.ts'
import { type FlowEvent, isOpen, transition, type World } from './transition.ts'

export type Deferred = Extract<HandOff, { result: 'deferred' }>
/** The result of an attempt. A deferred hand-off is not an attempt. */
export type Outcome = Exclude<HandOff, Deferred>

export function eventOf(outcome: Outcome): FlowEvent {
  switch (outcome.result) {
    case 'accepted':
    case 'completed':
      return { type: 'Completed' }
    case 'crashed':
      return { type: 'Crashed', reason: outcome.reason, retrySoon: outcome.retrySoon === true }
    case 'unreached':
      return { type: 'Unreached', reason: outcome.reason, permanent: outcome.permanent }
  }
}

/** Whether the end of the attempt can only make the step wait for its verdict. */
export const canOnlyWait = (step: StepRow, now: number): boolean =>
  isOpen(step) && step.owner !== free && now < step.deadline_at

interface Parts extends Pick<World, 'newId' | 'random'> {
  node: OwnNode
}

/** The write for the event. Undefined if the processor must be invoked, null if the event is rejected. */
export function changeFor(job: Job, event: FlowEvent, now: number, parts: Parts): StepChange | undefined | null {
  const { newId, random, node } = parts
  const result = transition(runOf(job), event, { now, newId, random })
  return 'rejection' in result ? null : changeOf(job, result, node, now)
}

/**
 * A step in memory, with the events that are not applied to its job yet. Most verdicts arrive before that is necessary:
 * then the events are never applied.
 */
export interface Happening {
  job: Job
  notApplied: { event: FlowEvent; now: number }[]
  /** The write for the events that were applied. */
  record: RecordHandOff | undefined
}

/** Applies the events to the job. Returns the write that makes them durable. */
export function catchUp(step: Happening, parts: Parts): RecordHandOff | undefined {
  for (const { event, now } of step.notApplied.splice(0)) {
    const { job } = step
    const change = changeFor(job, event, now, parts)
    if (change?.kind !== 'RecordHandOff') continue
    step.record = change
    // This node owns the step until its row is written; the new deadline counts at once.
    const { owner, due_at } = job.step
    step.job = { ...job, step: { ...change.step, owner, due_at } }
  }
  return step.record
}

/** Another write has extended the step's deadline in its row. */
export function extend(step: Happening, deadlineAt: number): void {
  step.job = { ...step.job, step: { ...step.job.step, deadline_at: deadlineAt } }
}
