import { setImmediate } from 'node:timers/promises'
import type { Cancel, Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { readDeadOwners, readNextDueAt } from '../store/steps.ts'
import type { Store } from '../store/store.ts'
import type { Turn } from '../store/tables.ts'
import type { OwnNode } from './decision.ts'
import { levelOf } from './log-level.ts'

/** How many due steps are taken at a time. */
const takenMax = 1_000
/** How many orphans are taken at a time: other nodes want their part of them, and other writes their turn. */
const orphansMax = 256
/** How long after a failed look for due steps the next is taken. */
const retryMs = 1_000
/** Due steps that another node is just taking: when to look again. */
const takenPauseMs = 200
/** How long a node that yields leaves what is due to the others. */
const yieldMs = 1_000
/** When a step whose deadline has passed is due again, if it was taken and not ended. */
const againMs = 30_000

interface DueStepsParts {
  store: Store
  node: OwnNode
  clock: Clock
  log: Log
  /** Steps that this node owns from now on. */
  taken(turns: Turn[]): Promise<void>
}

/** Takes the steps that are due, and the orphans of nodes that are gone. Wakes when the next step is due. */
export class DueSteps {
  readonly #parts: DueStepsParts
  /** What verdicts have ended since steps began to be taken, for each time: their turns come too late. */
  readonly #decidedMeanwhile = new Set<Set<string>>()
  #alarm: { atMs: number; cancel: Cancel } | undefined
  #sweeping: Promise<void> | undefined
  #adopting: Promise<void> | undefined
  #yieldsUntil = Number.NEGATIVE_INFINITY
  #isClosed = false

  constructor(parts: DueStepsParts) {
    this.#parts = parts
  }

  decided(callbackId: string): void {
    for (const decided of this.#decidedMeanwhile) decided.add(callbackId)
  }

  wakeBy(atMs: number): void {
    if (this.#isClosed || (this.#alarm && this.#alarm.atMs <= atMs)) return
    this.#alarm?.cancel()
    const cancel = this.#parts.clock.at(atMs, () => {
      this.#alarm = undefined
      void this.sweep()
    })
    this.#alarm = { atMs, cancel }
  }

  /**
   * This node has given back steps that are due then, since it could not hand them over: another node shall have them
   * if there is one that wants them.
   */
  yieldFrom(dueAt: number): void {
    this.#yieldsUntil = Math.max(this.#yieldsUntil, dueAt + yieldMs)
    this.wakeBy(dueAt + yieldMs)
  }

  /** Runs one sweep at a time: a call during a sweep returns the promise of that sweep, which sets the alarm. */
  sweep(): Promise<void> {
    this.#sweeping ??= this.#takeDue().finally(() => {
      this.#sweeping = undefined
    })
    return this.#sweeping
  }

  /** Looks for what another node has left or put off: it set its alarm there, not here. */
  async look(): Promise<void> {
    await this.#orSoonAgain(() => this.#setAlarm(0))
    this.#adopting ??= this.#takeOrphans().finally(() => {
      this.#adopting = undefined
    })
    await this.#adopting
  }

  /** Resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#alarm?.cancel()
    await Promise.all([this.#sweeping, this.#adopting])
  }

  async #takeDue(): Promise<void> {
    const { clock } = this.#parts
    await this.#orSoonAgain(async () => {
      await this.#takeAll(undefined, takenMax)
      await this.#setAlarm(clock.now() + takenPauseMs)
    })
  }

  async #takeOrphans(): Promise<void> {
    const { store, node } = this.#parts
    await this.#orSoonAgain(async () => {
      for (const deadNode of await readDeadOwners(store.read, node.id)) await this.#takeAll(deadNode, orphansMax)
    })
  }

  /** In pieces, until there is nothing left to take. */
  async #takeAll(deadNode: string | undefined, stepsMax: number): Promise<void> {
    while (!this.#isClosed && (await this.#take(deadNode, stepsMax)) === stepsMax) {
      // Requests go between the pieces.
      await setImmediate()
    }
  }

  async #take(deadNode: string | undefined, stepsMax: number): Promise<number> {
    const { store, clock, node, taken } = this.#parts
    const now = clock.now() < this.#yieldsUntil ? clock.now() - yieldMs : clock.now()
    const againAt = clock.now() + againMs
    const decided = new Set<string>()
    this.#decidedMeanwhile.add(decided)
    try {
      const turns = await store.commit({ kind: 'TakeSteps', owner: node.id, deadNode, now, againAt, stepsMax })
      await taken(turns.filter(({ step }) => !decided.has(step.callback_id)))
      return turns.length
    } finally {
      this.#decidedMeanwhile.delete(decided)
    }
  }

  /**
   * Sets the alarm for the step that is due next, on whichever node it was made. If another node is just taking what is
   * due, it looks again at `notBefore`.
   */
  async #setAlarm(notBefore: number): Promise<void> {
    const { store, node } = this.#parts
    const next = await readNextDueAt(store.read, node.id)
    if (next === undefined) return
    this.wakeBy(next <= this.#parts.clock.now() ? Math.max(next, notBefore) : next)
  }

  async #orSoonAgain(look: () => Promise<void>): Promise<void> {
    const { clock, log } = this.#parts
    try {
      await look()
    } catch (error) {
      log[levelOf(error, 'warn')]({ err: error }, 'reading due steps failed; trying again')
      this.wakeBy(clock.now() + retryMs)
    }
  }
}
