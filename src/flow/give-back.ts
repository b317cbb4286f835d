import type { Log } from '../runtime/log.ts'
import type { RecordHandOff } from '../store/changes.ts'
import { free } from '../store/steps.ts'
import type { Store } from '../store/store.ts'
import type { StepRow } from '../store/tables.ts'
import type { OwnNode } from './decision.ts'
import { levelOf } from './log-level.ts'
import type { QueuedStep } from './step-lanes.ts'
import type { StepQueue } from './step-queue.ts'
import type { StepWrites } from './step-writes.ts'

/** After so many failed rounds in a row, each further failed round releases steps of the function. */
export const roundsBeforeGivingBack = 3
/** Maximum of steps of a function that one round releases. It limits the rows that are written. */
export const givenBackMax = 256

interface GiveBackParts<Step> {
  store: Store
  queue: Pick<StepQueue<Step & QueuedStep>, 'take' | 'putBack'>
  writes: Pick<StepWrites, 'once'>
  node: OwnNode
  log: Log
  /** Whether the engine still has the step in memory. */
  holds(step: Step): boolean
  /** This node does not own the step any more. */
  given(step: Step): void
}

/**
 * Releases steps that this node has failed to hand over for some time, so that another node can take them. Each step
 * stays in memory until its row is written. No try and no attempt is counted.
 */
export class GiveBack<Step extends QueuedStep & { job: { step: StepRow } }> {
  readonly #parts: GiveBackParts<Step>

  constructor(parts: GiveBackParts<Step>) {
    this.#parts = parts
  }

  /** Releases steps of the function; any node may take them from `dueAt` on. Resolves to false if no other node is alive. */
  async run(functionName: string, dueAt: number): Promise<boolean> {
    const { log } = this.#parts
    try {
      if (!(await this.#isAnotherNodeAlive())) return false
      const steps = this.#takeOf(functionName)
      await Promise.all(steps.map((step) => this.#give(step, dueAt)))
      log.debug({ processor: functionName, steps: steps.length }, 'steps given back: another node may take them')
      return true
    } catch (err) {
      log[levelOf(err, 'warn')]({ processor: functionName, err }, 'giving steps back failed')
      return false
    }
  }

  async #isAnotherNodeAlive(): Promise<boolean> {
    const { store, node } = this.#parts
    return (await store.read.get('SELECT 1 FROM node WHERE node_id <> $1 LIMIT 1', node.id)) !== undefined
  }

  /** Takes the next steps of the function out of the queue, as if the function had places for them. */
  #takeOf(functionName: string): Step[] {
    const { queue } = this.#parts
    const steps: Step[] = []
    const places = (name: string) => (name === functionName ? givenBackMax + 1 - steps.length : 0)
    for (let next = queue.take(places); next; next = queue.take(places)) {
      steps.push(next)
      if (steps.length === givenBackMax) break
    }
    return steps
  }

  async #give(step: Step, dueAt: number): Promise<void> {
    const { queue, writes, holds, given } = this.#parts
    const isWritten = await writes.once(givenBack(step.job.step, dueAt))
    if (!isWritten && holds(step)) queue.putBack(step)
    else given(step)
  }
}

const givenBack = (step: StepRow, dueAt: number): RecordHandOff => ({
  kind: 'RecordHandOff',
  step: { ...step, owner: free, due_at: Math.min(dueAt, step.deadline_at) },
  expectedOwner: step.owner,
})
