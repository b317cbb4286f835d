import type { AwsLocation } from '../contract/arn.ts'
import type { ProcessorEvent } from '../processor/processor-event.ts'
import type { HandOff, ProcessorTarget } from '../processor/target.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { StepCounts } from '../runtime/metrics.ts'
import type { Shortages } from '../runtime/shortage.ts'
import type { Store } from '../store/store.ts'
import type { Job } from '../store/tables.ts'
import { Aside } from './aside.ts'
import type { OwnNode } from './decision.ts'
import { DueSteps } from './due-steps.ts'
import { GiveBack, roundsBeforeGivingBack } from './give-back.ts'
import { type LoadedStep, loadedStepOf } from './loaded-step.ts'
import { canOnlyWait, catchUp, changeFor, type Deferred, eventOf, extend, type Outcome } from './outcome.ts'
import { OwnSteps } from './own-steps.ts'
import type { PausedFunctions } from './paused-functions.ts'
import { Pauses } from './pauses.ts'
import { Refill } from './refill.ts'
import { type QueueLimits, StepQueue } from './step-queue.ts'
import { StepReport } from './step-report.ts'
import { type AfterWrite, type StepChange, StepWrites } from './step-writes.ts'
import type { FlowEvent } from './transition.ts'

export interface EngineParts {
  store: Store
  target: ProcessorTarget
  node: OwnNode
  location: AwsLocation
  clock: Clock
  log: Log
  shortages: Shortages
  newId(): string
  random(): number
  /** The functions that are not invoked now; none if left out. */
  paused?: Pick<PausedFunctions, 'has' | 'onChange'>
  /** For tests: how much waits in memory. */
  queueLimits?: QueueLimits
}

/**
 * The loop around `transition`: invokes processors, applies the outcomes, and sets a timer for the next due step. The
 * store has the whole state; the copy in memory is a cache. Verdicts do not pass through the engine: the commit of a
 * verdict says which step has ended and which one is next.
 *
 * The states of a step that this node owns (store/steps.ts defines the owner of a step):
 *
 *   in memory  waiting ──place──► at its processor ──► outcome pending: its write runs, is put off, or is retried
 *                 ▲  ▲                 │                  │
 *                 │  └────deferred─────┘                  └──► ended, or free
 *   parked     only a row; memory has its channel (refill.ts)
 *                 ▲
 *   forgotten  only a row, and memory does not have its channel (own-steps.ts)
 *   aside      building its event failed: its rows are read again later (aside.ts)
 *
 * A shortage on this node is not an outcome. If a hand-off is deferred, the step returns to the head of its channel's
 * queue, and the function pauses. After some failed rounds the step is released, so that another node can take it.
 */
export class FlowEngine {
  readonly #parts: EngineParts
  readonly #report: StepReport
  readonly #queue: StepQueue<LoadedStep>
  readonly #pauses: Pauses
  readonly #refill: Refill<LoadedStep>
  readonly #dueSteps: DueSteps
  readonly #loaded = new Map<string, LoadedStep>()
  readonly #ownSteps: OwnSteps
  readonly #writes: StepWrites
  readonly #giveBack: GiveBack<LoadedStep>
  readonly #aside: Aside
  #order = 0
  #closed = false

  constructor(parts: EngineParts) {
    this.#parts = parts
    this.#report = new StepReport(parts)
    this.#queue = new StepQueue(parts.queueLimits)
    this.#pauses = new Pauses({ ...parts, over: (functionName) => this.#pauseIsOver(functionName) })
    this.#aside = new Aside({ ...parts, readable: (job) => this.#enqueueNow(job) })
    this.#writes = new StepWrites({ ...parts, dropped: (callbackId) => this.#dropped(callbackId) })
    const memory = {
      ...parts,
      queue: this.#queue,
      isKnown: (callbackId: string) => this.#loaded.has(callbackId) || this.#aside.has(callbackId),
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
      load: (jobs) => jobs.map((job) => this.#load(job)),
      refilled: () => this.#fillPlaces(),
    })
    this.#dueSteps = new DueSteps({ ...parts, taken: (jobs) => this.#resumeAll(jobs) })
    parts.target.onFreePlace(() => this.#fillPlaces())
    parts.paused?.onChange(() => this.#fillPlaces())
    parts.store.onCommit(({ decided, jobs }) => {
      for (const callbackId of decided) this.#decided(callbackId)
      for (const job of jobs) this.#enqueue(job)
      if (decided.length + jobs.length > 0) this.#fillPlaces()
    })
  }

  /**
   * Resumes the steps that this node owns, the due steps, and the orphans of dead nodes. It finds its own steps and the
   * orphans in the background; new steps queue behind its own ones.
   */
  async start(): Promise<void> {
    this.#ownSteps.request()
    await this.#dueSteps.sweep()
    void this.#dueSteps.look()
  }

  /** Polls for due steps and orphans: the timer of a step that another node has released is on that node. */
  look(): Promise<void> {
    return this.#dueSteps.look()
  }

  /** Looks for forgotten steps of this node. */
  lookForOwn(): void {
    this.#ownSteps.request()
  }

  /** Whether the attempt of the step has ended on this node, and its outcome is not written yet. */
  attemptIsOver(callbackId: string): boolean {
    return this.#loaded.get(callbackId)?.outcomePending === true
  }

  /**
   * Invokes the processor of a step that an operator has made this node the owner of. The outcome of an attempt that is
   * still in flight is ignored; its verdict counts.
   */
  handAgain(job: Job): void {
    this.#unload(job.step.callback_id)
    this.#enqueueNow(job)
  }

  /** Removes the steps of this owner from memory: another node may have taken them. */
  forget(owner: string): void {
    for (const [callbackId, { job }] of this.#loaded) if (job.step.owner === owner) this.#unload(callbackId)
  }

  /** Stops the engine. This node still owns its steps: its next start, or another node, resumes them. */
  async close(): Promise<void> {
    this.#closed = true
    for (const part of [this.#pauses, this.#refill, this.#ownSteps, this.#aside]) part.close()
    this.#loaded.clear()
    await Promise.all([this.#writes.close(), this.#dueSteps.close(), this.#parts.target.close()])
  }

  /** The number of steps in flight at each processor, and of steps that wait for a place at it. */
  get counts(): StepCounts[] {
    return this.#queue.counts
  }

  /** The backlog of each function on this node. */
  get backlogs(): Pick<StepQueue<LoadedStep>, 'backlogOf' | 'backlogOfChannel'> {
    return this.#queue
  }

  /** Queues a step that this node owns, or parks it if the queue is full. */
  #enqueue(job: Job): void {
    const { callback_id: callbackId, due_at } = job.step
    if (this.#closed || this.#loaded.has(callbackId)) return
    this.#aside.delete(callbackId)
    this.#dueSteps.wakeBy(due_at)
    const loaded = this.#newLoadedStep(job)
    if (this.#queue.add(loaded)) this.#hold(loaded)
  }

  #enqueueNow(job: Job): void {
    this.#enqueue(job)
    this.#fillPlaces()
  }

  #load(job: Job): LoadedStep {
    const loaded = this.#newLoadedStep(job)
    this.#hold(loaded)
    return loaded
  }

  #newLoadedStep(job: Job): LoadedStep {
    this.#order += 1
    return loadedStepOf(job, this.#order)
  }

  #hold(loaded: LoadedStep): void {
    this.#loaded.set(loaded.job.step.callback_id, loaded)
  }

  #holds(loaded: LoadedStep): boolean {
    return this.#loaded.get(loaded.job.step.callback_id) === loaded
  }

  #decided(callbackId: string): void {
    this.#dueSteps.decided(callbackId)
    this.#unload(callbackId)
  }

  #unload(callbackId: string): void {
    const loaded = this.#loaded.get(callbackId)
    this.#loaded.delete(callbackId)
    this.#aside.delete(callbackId)
    this.#writes.cancel(callbackId)
    this.#refill.gone(callbackId)
    if (!loaded) return
    if (loaded.outcomePending) this.#queue.end(loaded)
    else this.#queue.remove(loaded)
    loaded.outcomePending = false
  }

  /** Too many writes wait for a retry. The step is read again later, and its processor is invoked again. */
  #dropped(callbackId: string): void {
    this.#unload(callbackId)
    this.#ownSteps.request()
  }

  #fillPlaces(): void {
    if (this.#closed) return
    const { target, paused } = this.#parts
    const isPaused = (name: string) => this.#pauses.has(name) || paused?.has(name) === true
    const freePlaces = (name: string) => (isPaused(name) ? 0 : target.freePlaces(name))
    for (let next = this.#queue.take(freePlaces); next; next = this.#queue.take(freePlaces)) void this.#invoke(next)
    void this.#refill.run()
    this.#ownSteps.run()
  }

  async #invoke(loaded: LoadedStep): Promise<void> {
    const { functionName } = loaded
    const round = this.#pauses.round(functionName)
    const event = this.#aside.eventOf(loaded.job)
    if (!event) return this.#setAside(loaded)
    const handOff = await this.#handOff(loaded, event)
    if (!handOff || handOff.result === 'deferred') return this.#deferred(loaded, handOff, round)
    this.#queue.release(loaded)
    loaded.outcomePending = this.#holds(loaded)
    if (!loaded.outcomePending) this.#queue.end(loaded)
    this.#fillPlaces()
    // The verdict may have arrived in the meantime.
    const isWritten = !loaded.outcomePending || (await this.#apply(loaded, eventOf(handOff), handOff))
    if (isWritten) this.#pauses.reset(functionName)
    else this.#pauses.begin(functionName, round)
  }

  /** Releases the place of a step that has no outcome to write. */
  #end(loaded: LoadedStep): void {
    this.#queue.release(loaded)
    this.#queue.end(loaded)
  }

  #setAside(loaded: LoadedStep): void {
    const { step } = loaded.job
    this.#unload(step.callback_id)
    this.#end(loaded)
    this.#aside.add(step)
  }

  /** Undefined if the target threw, which its contract forbids. */
  async #handOff(loaded: LoadedStep, event: ProcessorEvent): Promise<HandOff | undefined> {
    const { target, log } = this.#parts
    const { functionName, functionArn } = loaded
    try {
      return await target.invoke(functionName, functionArn, event, () => this.#handedOver(loaded))
    } catch (err) {
      log.error({ processor: functionName, err }, 'hand-off failed; trying again')
      return undefined
    }
  }

  /** The step keeps its owner and its position in the queue. Its row does not change: no try and no attempt is counted. */
  #deferred(loaded: LoadedStep, handOff: Deferred | undefined, round: number): void {
    if (handOff) this.#report.deferred(loaded.functionName, handOff)
    this.#writes.cancel(loaded.job.step.callback_id)
    if (this.#holds(loaded)) this.#queue.putBack(loaded)
    else this.#end(loaded)
    if (this.#closed) return
    const pause = this.#pauses.begin(loaded.functionName, round)
    this.#fillPlaces()
    if (!pause || pause.failures < roundsBeforeGivingBack || handOff?.cause === 'throttled') return
    void this.#giveStepsBack(loaded.functionName, pause.endsAt)
  }

  async #giveStepsBack(functionName: string, dueAt: number): Promise<void> {
    if (!(await this.#giveBack.run(functionName, dueAt)) || this.#closed) return
    this.#dueSteps.yieldFrom(dueAt)
    this.#fillPlaces()
  }

  #given(loaded: LoadedStep): void {
    this.#end(loaded)
    if (this.#holds(loaded)) this.#unload(loaded.job.step.callback_id)
  }

  /** Called when a pause has ended. Returns whether any step of the function is queued or in flight. */
  #pauseIsOver(functionName: string): boolean {
    this.#fillPlaces()
    return this.#queue.has(functionName)
  }

  /** The hand-off is written later, unless the verdict arrives first. */
  #handedOver(loaded: LoadedStep): void {
    if (!this.#holds(loaded)) return
    const settled = (isWritten: boolean) => {
      if (!isWritten && this.#holds(loaded)) this.#unload(loaded.job.step.callback_id)
    }
    void this.#applyLater(loaded, { type: 'HandedOff' }, { settled })
  }

  /**
   * Writes the effects of the event on the step. The commit notifies the engine of the next step. Returns false if the
   * write failed: it is retried, and until then the step stays in memory.
   */
  async #apply(loaded: LoadedStep, event: FlowEvent, outcome?: Outcome): Promise<boolean> {
    if (event.type === 'Completed' && canOnlyWait(loaded.job.step, this.#parts.clock.now()))
      return this.#completed(loaded, event, outcome)
    catchUp(loaded, this.#parts)
    const { job } = loaded
    const change = changeFor(job, event, this.#parts.clock.now(), this.#parts)
    if (!change) {
      if (change === null) this.#unload(job.step.callback_id)
      else this.#enqueue(job)
      return true
    }
    this.#hold(loaded)
    this.#report.failure(job, change.step, event)
    return this.#writes.write(change, {
      settled: (isWritten) => {
        this.#settled(loaded, isWritten ? change : undefined, event, outcome)
        // The deadline may have been extended at this moment: then the step is still open, and this node's.
        if (!isWritten && change.step.state === 'EXPIRED') this.#ownSteps.request()
      },
    })
  }

  /** This node owns the step until the write. */
  #completed(loaded: LoadedStep, event: FlowEvent, outcome: Outcome | undefined): Promise<boolean> {
    return this.#applyLater(loaded, event, {
      settled: (isWritten) => this.#settled(loaded, isWritten ? loaded.record : undefined, event, outcome),
      failed: () => this.#outcomeFailed(loaded),
    })
  }

  /** `change`: the write, or undefined if the store rejected it. */
  #settled(loaded: LoadedStep, change: StepChange | undefined, event: FlowEvent, outcome: Outcome | undefined): void {
    if (change?.kind === 'RecordHandOff') this.#dueSteps.wakeBy(change.step.due_at)
    if (!this.#holds(loaded)) return
    const { job } = loaded
    this.#unload(job.step.callback_id)
    if (change && outcome && outcome.result !== 'accepted') this.#report.waiting(job, change.step, event)
  }

  /** For the events that nearly every step has a few milliseconds before its verdict. */
  #applyLater(loaded: LoadedStep, event: FlowEvent, after: AfterWrite): Promise<boolean> {
    const { callback_id, deadline_at } = loaded.job.step
    loaded.notApplied.push({ event, now: this.#parts.clock.now() })
    return this.#writes.putOff(callback_id, () => catchUp(loaded, this.#parts), deadline_at, after)
  }

  /** Pauses the function: the store could not write further verdicts either. */
  #outcomeFailed({ functionName }: LoadedStep): void {
    if (!this.#closed) this.#pauses.begin(functionName, this.#pauses.round(functionName))
  }

  /** All of them in one turn of the event loop, so that a step cannot change between its check and the action. */
  async #resumeAll(jobs: Job[]): Promise<void> {
    await Promise.all(jobs.map((job) => this.#resume(job)))
    this.#fillPlaces()
  }

  async #resume(job: Job): Promise<void> {
    const { callback_id: callbackId, deadline_at } = job.step
    const now = this.#parts.clock.now()
    const loaded = this.#loaded.get(callbackId)
    if (loaded) catchUp(loaded, this.#parts)
    const knownDeadlineAt = loaded?.job.step.deadline_at ?? deadline_at
    if (loaded && knownDeadlineAt < deadline_at) extend(loaded, deadline_at)
    // Before the deadline, a step in memory or set aside needs nothing.
    const isKnown = loaded || this.#aside.has(callbackId)
    if (isKnown && now < knownDeadlineAt) return
    const isExtended = loaded !== undefined && now < deadline_at
    if (isExtended && !loaded.outcomePending) return
    // Retries of a write end at the deadline that the write has, so the processor is invoked again.
    if (isExtended) this.#unload(callbackId)
    await this.#apply(isExtended || !loaded ? this.#newLoadedStep(job) : loaded, { type: 'Due' })
  }
}
