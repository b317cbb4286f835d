import { setImmediate } from 'node:timers/promises'
import type { Cancel, Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { jobsMax, readJobs, readOwnSteps } from '../store/steps.ts'
import type { Store } from '../store/store.ts'
import type { Job, StepRow } from '../store/tables.ts'
import type { OwnNode } from './decision.ts'
import { levelOf } from './log-level.ts'
import type { QueuedStep } from './step-lanes.ts'
import type { Claim, StepQueue } from './step-queue.ts'

/** The delay before the next read, if one failed or only found steps whose outcome is not written yet. */
const retryMs = 1_000

interface RefillParts<Step extends QueuedStep> {
  store: Store
  queue: StepQueue<Step>
  node: OwnNode
  clock: Clock
  log: Log
  /** Whether the engine has the step in memory, or has set it aside. */
  isKnown(callbackId: string): boolean
  /** Takes the steps into memory, for the queue. */
  load(jobs: Job[]): Step[]
  /** Called when the queue has new steps. */
  refilled(): void
}

/**
 * Reads parked steps into the queue when it has room: one channel after the other, one read at a time. This node owns
 * the rows already.
 */
export class Refill<Step extends QueuedStep> {
  readonly #parts: RefillParts<Step>
  /**
   * Steps that ended, or whose outcome was written, while their rows were being read: the rows are stale.
   */
  readonly #endedMeanwhile = new Set<string>()
  #isRunning = false
  #isClosed = false
  #cancelRetry: Cancel = () => {}

  constructor(parts: RefillParts<Step>) {
    this.#parts = parts
  }

  /** The step is not in memory any more. */
  gone(callbackId: string): void {
    if (this.#isRunning) this.#endedMeanwhile.add(callbackId)
  }

  /** Reads as long as the queue has room and parked steps. */
  async run(): Promise<void> {
    if (this.#isRunning || this.#isClosed) return
    this.#isRunning = true
    const { queue } = this.#parts
    for (let claim = queue.claim(); claim; claim = queue.claim()) {
      if (!(await this.#refill(claim))) return this.#retryLater()
      // A read of SQLite blocks the event loop: requests are served between two reads.
      await setImmediate()
      if (this.#isClosed) return
    }
    this.#isRunning = false
  }

  close(): void {
    this.#isClosed = true
    this.#cancelRetry()
  }

  /** Resolves to false if it must be retried. */
  async #refill(claim: Claim<Step>): Promise<boolean> {
    const { queue, load, refilled } = this.#parts
    try {
      const { jobs, moreFrom } = await this.#read(claim)
      if (this.#isClosed) return true
      queue.refill(claim, load(jobs), moreFrom)
      refilled()
      return jobs.length > 0 || moreFrom === undefined
    } catch (error) {
      queue.refill(claim, [], claim.dueFrom)
      if (!this.#isClosed) this.#reportFailure(error)
      return false
    }
  }

  async #read({ channelId, functionArn, dueFrom, dueUntil, stepsMax, inMemory }: Claim<Step>) {
    const { store, node, clock, isKnown } = this.#parts
    this.#endedMeanwhile.clear()
    const isNew = ({ callback_id: id, deadline_at }: StepRow) =>
      deadline_at > clock.now() && !isKnown(id) && !this.#endedMeanwhile.has(id)
    const owner = node.id
    const newMax = Math.min(stepsMax, jobsMax)
    const rowsMax = newMax + inMemory
    const range = { owner, channelId, functionArn, dueFrom, dueUntil }
    const rows = await readOwnSteps(store.read, { ...range, stepsMax: rowsMax })
    const fresh = rows.filter(isNew)
    const jobs = await readJobs(store.read, channelId, fresh.slice(0, newMax))
    const stillNew = jobs.filter(({ step }) => isNew(step) && step.owner === node.id)
    const next = fresh[newMax] ?? (rows.length === rowsMax ? rows.at(-1) : undefined)
    return { jobs: stillNew, moreFrom: next?.due_at }
  }

  #retryLater(): void {
    if (this.#isClosed) return
    const { clock } = this.#parts
    this.#cancelRetry = clock.at(clock.now() + retryMs, () => {
      this.#isRunning = false
      void this.run()
    })
  }

  #reportFailure(error: unknown): void {
    this.#parts.log[levelOf(error, 'warn')]({ err: error }, 'reading parked steps failed; trying again')
  }
}
