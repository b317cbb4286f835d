import { setImmediate } from 'node:timers/promises'
import type { Cancel, Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { readOwnSteps, readTurns, turnsMax } from '../store/steps.ts'
import type { Store } from '../store/store.ts'
import type { StepRow, Turn } from '../store/tables.ts'
import type { OwnNode } from './decision.ts'
import { levelOf } from './log-level.ts'
import type { QueuedStep } from './step-lanes.ts'
import type { Claim, StepQueue } from './step-queue.ts'

/** How long to wait after a read that failed, or that found nothing but steps whose outcome is just being written. */
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
  takeInHand(turns: Turn[]): Step[]
  /** The queue has more than before. */
  refilled(): void
}

/**
 * Brings parked steps back into the queue as it has room: the rows of one channel after another, one read at a time.
 * This node owns the rows already.
 */
export class Refill<Step extends QueuedStep> {
  readonly #parts: RefillParts<Step>
  /**
   * Steps that ended, or whose outcome was written, while rows were being read: what was read of them is out of date.
   */
  readonly #goneMeanwhile = new Set<string>()
  #isRunning = false
  #isClosed = false
  #cancelRetry: Cancel = () => {}

  constructor(parts: RefillParts<Step>) {
    this.#parts = parts
  }

  /** The step is no longer in memory. */
  gone(callbackId: string): void {
    if (this.#isRunning) this.#goneMeanwhile.add(callbackId)
  }

  /** Reads as long as there is room and anything to read. */
  async run(): Promise<void> {
    if (this.#isRunning || this.#isClosed) return
    this.#isRunning = true
    const { queue } = this.#parts
    for (let claim = queue.claim(); claim; claim = queue.claim()) {
      if (!(await this.#refill(claim))) return this.#retryLater()
      // Reads of SQLite take the whole process: requests go between them.
      await setImmediate()
      if (this.#isClosed) return
    }
    this.#isRunning = false
  }

  close(): void {
    this.#isClosed = true
    this.#cancelRetry()
  }

  /** False when it came to nothing and must be done again. */
  async #refill(claim: Claim<Step>): Promise<boolean> {
    const { queue, takeInHand, refilled } = this.#parts
    try {
      const { turns, moreFrom } = await this.#read(claim)
      if (this.#isClosed) return true
      queue.refill(claim, takeInHand(turns), moreFrom)
      refilled()
      return turns.length > 0 || moreFrom === undefined
    } catch (error) {
      queue.refill(claim, [], claim.dueFrom)
      if (!this.#isClosed) this.#reportFailure(error)
      return false
    }
  }

  async #read({ channelId, functionArn, dueFrom, dueUntil, stepsMax, inMemory }: Claim<Step>) {
    const { store, node, clock, isKnown } = this.#parts
    this.#goneMeanwhile.clear()
    const isNew = ({ callback_id: id, deadline_at }: StepRow) =>
      deadline_at > clock.now() && !isKnown(id) && !this.#goneMeanwhile.has(id)
    const owner = node.id
    const newMax = Math.min(stepsMax, turnsMax)
    const rowsMax = newMax + inMemory
    const range = { owner, channelId, functionArn, dueFrom, dueUntil }
    const rows = await readOwnSteps(store.read, { ...range, stepsMax: rowsMax })
    const fresh = rows.filter(isNew)
    const turns = await readTurns(store.read, channelId, fresh.slice(0, newMax))
    const stillNew = turns.filter(({ step }) => isNew(step) && step.owner === node.id)
    const next = fresh[newMax] ?? (rows.length === rowsMax ? rows.at(-1) : undefined)
    return { turns: stillNew, moreFrom: next?.due_at }
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
