import type { HandOff } from '../processor/target.ts'
import type { RecordHandOff } from '../store/changes.ts'
import type { Turn } from '../store/tables.ts'
import { changeOf, type OwnNode, runOf } from './decision.ts'
import type { StepChange } from './step-writes.ts'
import { type FlowEvent, transition, type World } from './transition.ts'

export type Deferred = Extract<HandOff, { result: 'deferred' }>
/** How an attempt ended. A deferred hand-off was none. */
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

interface Parts extends Pick<World, 'newId' | 'random'> {
  node: OwnNode
}

/** The write that carries the event out. Undefined where the step is to be handed over, null where the event is refused. */
export function changeFor(turn: Turn, event: FlowEvent, now: number, parts: Parts): StepChange | undefined | null {
  const { newId, random, node } = parts
  const result = transition(runOf(turn), event, { now, newId, random })
  return 'refusal' in result ? null : changeOf(turn, result, node, now)
}

/**
 * A step in memory, and what has happened to it that its turn does not show yet. Most verdicts come before anything asks
 * for it: then it is never applied.
 */
export interface Happening {
  turn: Turn
  notApplied: { event: FlowEvent; now: number }[]
  /** The write that makes durable what was applied. */
  record: RecordHandOff | undefined
}

/** Applies to the turn what has happened. Returns the write that makes it durable. */
export function catchUp(step: Happening, parts: Parts): RecordHandOff | undefined {
  for (const { event, now } of step.notApplied.splice(0)) {
    const { turn } = step
    const change = changeFor(turn, event, now, parts)
    if (change?.kind !== 'RecordHandOff') continue
    step.record = change
    // The step stays this node's until its row is written, but has its new deadline already.
    const { owner, due_at } = turn.step
    step.turn = { ...turn, step: { ...change.step, owner, due_at } }
  }
  return step.record
}
