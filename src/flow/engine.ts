import type { Place } from '../contract/arn.ts'
import type { ProcessorEvent } from '../processor/processor-event.ts'
import type { HandOff, ProcessorTarget } from '../processor/target.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { StepCounts } from '../runtime/metrics.ts'
import type { Shortages } from '../runtime/shortage.ts'
import { free } from '../store/steps.ts'
import type { Store } from '../store/store.ts'
import type { StepRow, Turn } from '../store/tables.ts'
import { Aside } from './aside.ts'
import { functionNameOfStep, type OwnNode } from './decision.ts'
import { DueSteps } from './due-steps.ts'
import { GiveBack, roundsBeforeGivingBack } from './give-back.ts'
import { catchUp, changeFor, type Deferred, eventOf, type Happening, type Outcome } from './outcome.ts'
import { OwnSteps } from './own-steps.ts'
import { Pauses } from './pauses.ts'
import { Refill } from './refill.ts'
import type { QueuedStep } from './step-lanes.ts'
import { type QueueLimits, StepQueue } from './step-queue.ts'
import { StepReport } from './step-report.ts'
import { type AfterWrite, type StepChange, StepWrites } from './step-writes.ts'
import { type FlowEvent, isOpen } from './transition.ts'

export interface EngineParts {
  store: Store
  target: ProcessorTarget
  node: OwnNode
  place: Place
  clock: Clock
  log: Log
  shortages: Shortages
  newId(): string
  random(): number
  /** For tests: how much waits in memory. */
  queueLimits?: QueueLimits
}

/** A step in the memory of this node: in the queue, at its processor, or while its outcome is being written. */
interface InHand extends QueuedStep, Happening {
  /** Its attempt is over, and the outcome is not written yet. */
  isEnding: boolean
}

/**
 * The loop around `transition`: hands steps to their processors, feeds back the outcome, and wakes when a step is due.
 * All that it knows is in the store; what it holds in memory only saves time. A verdict does not pass through here: the
 * commit that it makes says which step is over and which comes next.
 *
 * Where the steps are that this node owns (store/steps.ts says who owns a step):
 *
 *   in memory  waiting ──place──► at its processor ──► ending: its outcome is being written, put off, or tried again
 *                 ▲  ▲                 │                  │
 *                 │  └────deferred─────┘                  └──► over, or free
 *   parked     a row; memory knows its channel (refill.ts)
 *                 ▲
 *   forgotten  a row of which memory does not know (own-steps.ts)
 *   aside      no event can be made of it: its rows are read again after a while (aside.ts)
 *
 * The engine's own trouble is no outcome. An event that could not be handed over goes back to the head of its channel's
 * queue, and the function pauses; after some rounds it is given back, for another node to take.
 */
export class FlowEngine {
  readonly #parts: EngineParts
  readonly #report: StepReport
  readonly #queue: StepQueue<InHand>
  readonly #pauses: Pauses
  readonly #refill: Refill<InHand>
  readonly #dueSteps: DueSteps
  readonly #inHand = new Map<string, InHand>()
  readonly #ownSteps: OwnSteps
  readonly #writes: StepWrites
  readonly #giveBack: GiveBack<InHand>
  readonly #aside: Aside
  #order = 0
  #closed = false

  constructor(parts: EngineParts) {
    this.#parts = parts
    this.#report = new StepReport(parts)
    this.#queue = new StepQueue(parts.queueLimits)
    this.#pauses = new Pauses({ ...parts, over: (functionName) => this.#pauseIsOver(functionName) })
    this.#aside = new Aside({ ...parts, readable: (turn) => this.#enqueueNow(turn) })
    this.#writes = new StepWrites({ ...parts, dropped: (callbackId) => this.#dropped(callbackId) })
    const memory = {
      ...parts,
      queue: this.#queue,
      isKnown: (callbackId: string) => this.#inHand.has(callbackId) || this.#aside.has(callbackId),
    }
    this.#giveBack = new GiveBack({
      ...memory,
      writes: this.#writes,
      holds: (step) => this.#holds(step),
      given: (step) => this.#given(step),
    })
    this.#ownSteps = new OwnSteps({ ...memory, found: () => this.#fillPlaces() })
    this.#refill = new Refill({
      ...memory,
      takeInHand: (turns) => turns.map((turn) => this.#takeInHand(turn)),
      refilled: () => this.#fillPlaces(),
    })
    this.#dueSteps = new DueSteps({ ...parts, taken: (turns) => this.#resumeAll(turns) })
    parts.target.onFreePlace(() => this.#fillPlaces())
    parts.store.onCommit(({ decided, turns }) => {
      for (const callbackId of decided) this.#decided(callbackId)
      for (const turn of turns) this.#enqueue(turn)
      if (decided.length + turns.length > 0) this.#fillPlaces()
    })
  }

  /**
   * Takes up what this node owns, what is due, and what nodes that are gone have left. What it owns and what they left
   * is found in the background: new steps queue behind the former.
   */
  async start(): Promise<void> {
    this.#ownSteps.request()
    await this.#dueSteps.sweep()
    void this.#dueSteps.look()
  }

  /** Looks for what another node has left or put off: it set its alarm there, not here. */
  look(): Promise<void> {
    return this.#dueSteps.look()
  }

  /** Looks for steps that this node owns and does not know of. */
  lookForOwn(): void {
    this.#ownSteps.request()
  }

  /** Forgets the steps that were owned under this id: another node may have taken them since. */
  forget(owner: string): void {
    for (const [callbackId, { turn }] of this.#inHand) if (turn.step.owner === owner) this.#letGo(callbackId)
  }

  /** Stops the engine. This node still owns its steps: its next start, or another node, resumes them. */
  async close(): Promise<void> {
    this.#closed = true
    for (const part of [this.#pauses, this.#refill, this.#ownSteps, this.#aside]) part.close()
    this.#inHand.clear()
    await Promise.all([this.#writes.close(), this.#dueSteps.close(), this.#parts.target.close()])
  }

  /** What each processor has in flight, and what waits here for a place at it. */
  get counts(): StepCounts[] {
    return this.#queue.counts
  }

  /** What waits here for a place at each function. */
  get backlogs(): Pick<StepQueue<InHand>, 'backlogOf' | 'backlogOfChannel'> {
    return this.#queue
  }

  /** Queues a step that this node owns, or parks it where the queue has no room. */
  #enqueue(turn: Turn): void {
    const { callback_id: callbackId, due_at } = turn.step
    if (this.#closed || this.#inHand.has(callbackId)) return
    this.#aside.delete(callbackId)
    this.#dueSteps.wakeBy(due_at)
    const inHand = this.#newInHand(turn)
    if (this.#queue.add(inHand)) this.#hold(inHand)
  }

  #enqueueNow(turn: Turn): void {
    this.#enqueue(turn)
    this.#fillPlaces()
  }

  #takeInHand(turn: Turn): InHand {
    const inHand = this.#newInHand(turn)
    this.#hold(inHand)
    return inHand
  }

  #newInHand(turn: Turn): InHand {
    const { function_arn: functionArn, channel_arn: channelArn, channel_id: channelId, due_at: dueAt } = turn.step
    const functionName = functionNameOfStep(turn.step)
    this.#order += 1
    const queued = { functionName, functionArn, channelArn, channelId, dueAt, order: this.#order }
    return { ...queued, turn, isEnding: false, notApplied: [], record: undefined }
  }

  #hold(inHand: InHand): void {
    this.#inHand.set(inHand.turn.step.callback_id, inHand)
  }

  #holds(inHand: InHand): boolean {
    return this.#inHand.get(inHand.turn.step.callback_id) === inHand
  }

  #decided(callbackId: string): void {
    this.#dueSteps.decided(callbackId)
    this.#letGo(callbackId)
  }

  #letGo(callbackId: string): void {
    const inHand = this.#inHand.get(callbackId)
    this.#inHand.delete(callbackId)
    this.#aside.delete(callbackId)
    this.#writes.cancel(callbackId)
    this.#refill.gone(callbackId)
    if (!inHand) return
    if (inHand.isEnding) this.#queue.end(inHand)
    else this.#queue.remove(inHand)
    inHand.isEnding = false
  }

  /** Too many writes fail. The row is found again, and the processor gets the event again. */
  #dropped(callbackId: string): void {
    this.#letGo(callbackId)
    this.#ownSteps.request()
  }

  #fillPlaces(): void {
    if (this.#closed) return
    const freePlaces = (name: string) => (this.#pauses.has(name) ? 0 : this.#parts.target.freePlaces(name))
    for (let next = this.#queue.take(freePlaces); next; next = this.#queue.take(freePlaces)) void this.#invoke(next)
    void this.#refill.run()
    this.#ownSteps.run()
  }

  async #invoke(inHand: InHand): Promise<void> {
    const { functionName } = inHand
    const round = this.#pauses.round(functionName)
    const event = this.#aside.eventOf(inHand.turn)
    if (!event) return this.#setAside(inHand)
    const handOff = await this.#handOff(inHand, event)
    if (!handOff || handOff.result === 'deferred') return this.#deferred(inHand, handOff, round)
    this.#queue.release(inHand)
    inHand.isEnding = this.#holds(inHand)
    if (!inHand.isEnding) this.#queue.end(inHand)
    this.#fillPlaces()
    // The verdict may have come meanwhile.
    const isWritten = !inHand.isEnding || (await this.#apply(inHand, eventOf(handOff), handOff))
    if (isWritten) this.#pauses.reset(functionName)
    else this.#pauses.begin(functionName, round)
  }

  /** Frees the place of a step that has no outcome to write. */
  #end(inHand: InHand): void {
    this.#queue.release(inHand)
    this.#queue.end(inHand)
  }

  #setAside(inHand: InHand): void {
    const { step } = inHand.turn
    this.#letGo(step.callback_id)
    this.#end(inHand)
    this.#aside.add(step)
  }

  /** Undefined when the target failed, which it must not. */
  async #handOff(inHand: InHand, event: ProcessorEvent): Promise<HandOff | undefined> {
    const { target, log } = this.#parts
    const { functionName, functionArn } = inHand
    try {
      return await target.invoke(functionName, functionArn, event, () => this.#handedOver(inHand))
    } catch (err) {
      log.error({ processor: functionName, err }, 'hand-off failed; trying again')
      return undefined
    }
  }

  /** The step keeps its owner and its turn. Its row stays as it is: no try and no attempt is counted. */
  #deferred(inHand: InHand, handOff: Deferred | undefined, round: number): void {
    if (handOff) this.#reportDeferred(inHand, handOff)
    this.#writes.cancel(inHand.turn.step.callback_id)
    if (this.#holds(inHand)) this.#queue.putBack(inHand)
    else this.#end(inHand)
    if (this.#closed) return
    const pause = this.#pauses.begin(inHand.functionName, round)
    this.#fillPlaces()
    if (!pause || pause.failures < roundsBeforeGivingBack || handOff?.cause === 'throttled') return
    void this.#giveStepsBack(inHand.functionName, pause.endsAt)
  }

  async #giveStepsBack(functionName: string, dueAt: number): Promise<void> {
    if (!(await this.#giveBack.run(functionName, dueAt)) || this.#closed) return
    this.#dueSteps.yieldFrom(dueAt)
    this.#fillPlaces()
  }

  #given(inHand: InHand): void {
    this.#end(inHand)
    if (this.#holds(inHand)) this.#letGo(inHand.turn.step.callback_id)
  }

  #reportDeferred({ functionName: processor }: InHand, { cause, reason }: Deferred): void {
    const { shortages, log } = this.#parts
    log.debug({ processor, cause, reason }, 'hand-off deferred; trying again')
    if (cause !== 'throttled' && cause !== 'closing') shortages.report(cause, reason)
  }

  /** A pause is over. Returns whether any step waits for the function, or is there. */
  #pauseIsOver(functionName: string): boolean {
    this.#fillPlaces()
    return this.#queue.has(functionName)
  }

  /** The row learns of it when the verdict takes long. */
  #handedOver(inHand: InHand): void {
    if (!this.#holds(inHand)) return
    const settled = (isWritten: boolean) => {
      if (!isWritten && this.#holds(inHand)) this.#letGo(inHand.turn.step.callback_id)
    }
    void this.#applyLater(inHand, { type: 'HandedOff' }, { settled })
  }

  /**
   * Makes durable what the event makes of the step. The next step comes back through the commit. Returns false when the
   * write failed: it is retried, and until then the step stays in memory.
   */
  async #apply(inHand: InHand, event: FlowEvent, outcome?: Outcome): Promise<boolean> {
    if (event.type === 'Completed' && this.#isAwaited(inHand.turn.step)) return this.#completed(inHand, event, outcome)
    catchUp(inHand, this.#parts)
    const { turn } = inHand
    const change = changeFor(turn, event, this.#parts.clock.now(), this.#parts)
    if (!change) {
      if (change === null) this.#letGo(turn.step.callback_id)
      else this.#enqueue(turn)
      return true
    }
    this.#hold(inHand)
    this.#report.failure(turn, change.step, event)
    return this.#writes.write(change, {
      settled: (isWritten) => this.#settled(inHand, isWritten ? change : undefined, event, outcome),
    })
  }

  /** Until then the step stays this node's. */
  #completed(inHand: InHand, event: FlowEvent, outcome: Outcome | undefined): Promise<boolean> {
    return this.#applyLater(inHand, event, {
      settled: (isWritten) => this.#settled(inHand, isWritten ? inHand.record : undefined, event, outcome),
      failed: () => this.#outcomeFailed(inHand),
    })
  }

  /** `change`: the row as it was written, if it was. */
  #settled(inHand: InHand, change: StepChange | undefined, event: FlowEvent, outcome: Outcome | undefined): void {
    if (change?.kind === 'RecordHandOff') this.#dueSteps.wakeBy(change.step.due_at)
    if (!this.#holds(inHand)) return
    const { turn } = inHand
    this.#letGo(turn.step.callback_id)
    if (change && outcome && outcome.result !== 'accepted') this.#report.waiting(turn, change.step, event)
  }

  /** Whether all that can come of the end of its attempt is that the step waits for its verdict. */
  #isAwaited(step: StepRow): boolean {
    return isOpen(step) && step.owner !== free && this.#parts.clock.now() < step.deadline_at
  }

  /** For what happens to nearly every step a moment before its verdict. */
  #applyLater(inHand: InHand, event: FlowEvent, after: AfterWrite): Promise<boolean> {
    const { callback_id, deadline_at } = inHand.turn.step
    inHand.notApplied.push({ event, now: this.#parts.clock.now() })
    return this.#writes.putOff(callback_id, () => catchUp(inHand, this.#parts), deadline_at, after)
  }

  /** No more events are handed over for now: their verdicts could not be written either. */
  #outcomeFailed({ functionName }: InHand): void {
    if (!this.#closed) this.#pauses.begin(functionName, this.#pauses.round(functionName))
  }

  /** All at once: what is said of a step here must still be so when it is acted upon. */
  async #resumeAll(turns: Turn[]): Promise<void> {
    await Promise.all(turns.map((turn) => this.#resume(turn)))
    this.#fillPlaces()
  }

  async #resume(turn: Turn): Promise<void> {
    const { callback_id: callbackId, deadline_at } = turn.step
    const inHand = this.#inHand.get(callbackId)
    if (inHand) catchUp(inHand, this.#parts)
    // A step in memory continues, and one that is set aside stays so, until its deadline.
    const isKnown = inHand || this.#aside.has(callbackId)
    if (isKnown && this.#parts.clock.now() < (inHand?.turn.step.deadline_at ?? deadline_at)) return
    await this.#apply(inHand ?? this.#newInHand(turn), { type: 'Due' })
  }
}
