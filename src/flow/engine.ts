import type { Place } from '../contract/arn.ts'
import type { ProcessorEvent } from '../processor/processor-event.ts'
import type { HandOff, ProcessorTarget } from '../processor/target.ts'
import type { Cancel, Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { StepCounts } from '../runtime/metrics.ts'
import type { Shortages } from '../runtime/shortage.ts'
import { type Store, StoreUnavailable } from '../store/store.ts'
import type { StepRow, Turn } from '../store/tables.ts'
import { changeOf, functionNameOfStep, type Lease, runOf } from './decision.ts'
import { DueSteps } from './due-steps.ts'
import { giveBack, givenBackMax, isAnotherNodeAlive, roundsBeforeGivingBack } from './give-back.ts'
import { Pauses } from './pauses.ts'
import { processorEvent } from './processor-event.ts'
import { Refill } from './refill.ts'
import { type QueuedStep, type QueueLimits, StepQueue } from './step-queue.ts'
import { StepReport } from './step-report.ts'
import { type FlowEvent, transition, type World } from './transition.ts'

/** A hand-off is worth a write of its own only if the verdict is not quicker. */
const recordDelayMs = 1_000

export interface EngineParts {
  store: Store
  target: ProcessorTarget
  lease: Lease
  place: Place
  clock: Clock
  log: Log
  shortages: Shortages
  newId(): string
  random(): number
  /** For tests: how much waits in memory. */
  queueLimits?: QueueLimits
}

/** A step that this node has in hand: in the queue, at its processor, or while its outcome is being written. */
interface InHand extends QueuedStep {
  turn: Turn
  cancelRecord?: Cancel
}

type Deferred = Extract<HandOff, { result: 'deferred' }>
/** How an attempt ended. A deferred hand-off was none. */
type Outcome = Exclude<HandOff, Deferred>

/** What became of a write: the step as it is now; nothing, where it was over or there was nothing to write. */
type Written = StepRow | 'nothing' | 'failed'

/**
 * The loop around `transition`: hands steps to their processors, feeds back the outcome, and wakes when a step is due.
 * All that it knows is in the store; what it holds in memory only saves time. A verdict does not pass through here: the
 * commit that it makes says which step is over and which comes next.
 *
 * The engine's own trouble is no outcome. An event that could not be handed over goes back to the head of its channel's
 * queue, and the function pauses; after some rounds it is given back, for another node to take. A step whose event cannot be made, or whose outcome cannot be written, is set aside: its
 * row still says that it is open, and brings it back when the lease ends.
 */
export class FlowEngine {
  readonly #parts: EngineParts
  readonly #report: StepReport
  readonly #queue: StepQueue<InHand>
  readonly #pauses: Pauses
  readonly #refill: Refill<InHand>
  readonly #dueSteps: DueSteps
  readonly #inHand = new Map<string, InHand>()
  /** Steps that are set aside, each until its lease ends. */
  readonly #aside = new Map<string, number>()
  #order = 0
  #isStarting = true
  #closed = false

  constructor(parts: EngineParts) {
    this.#parts = parts
    this.#report = new StepReport(parts)
    this.#queue = new StepQueue(parts.queueLimits)
    this.#pauses = new Pauses({ ...parts, over: (functionName) => this.#pauseIsOver(functionName) })
    this.#refill = new Refill({
      ...parts,
      queue: this.#queue,
      isKnown: (callbackId) => this.#inHand.has(callbackId) || this.#aside.has(callbackId),
      takeInHand: (turns) => turns.map((turn) => this.#takeInHand(turn)),
      refilled: () => this.#fillPlaces(),
    })
    this.#dueSteps = new DueSteps({ ...parts, leased: (turns) => this.#resumeAll(turns) })
    parts.target.onFreePlace(() => this.#fillPlaces())
    parts.store.onCommit(({ decided, turns }) => {
      for (const callbackId of decided) this.#decided(callbackId)
      for (const turn of turns) this.#enqueue(turn)
      if (decided.length + turns.length > 0) this.#fillPlaces()
    })
  }

  /** Takes up what is due. */
  async start(): Promise<void> {
    await this.#dueSteps.sweep()
    this.#isStarting = false
  }

  /** Looks for what another node has left or put off: it set its alarm there, not here. */
  look(): Promise<void> {
    return this.#dueSteps.look()
  }

  /** Forgets the steps that were leased under this id: another node may have leased them since. */
  forget(owner: string): void {
    for (const [callbackId, { turn }] of this.#inHand) if (turn.step.owner === owner) this.#letGo(callbackId)
  }

  /** Stops the engine. Steps in hand keep their leases: the next start, or another node, resumes them. */
  async close(): Promise<void> {
    this.#closed = true
    this.#pauses.close()
    this.#refill.close()
    for (const { cancelRecord } of this.#inHand.values()) cancelRecord?.()
    this.#inHand.clear()
    await Promise.all([this.#dueSteps.close(), this.#parts.target.close()])
  }

  /** What each processor has in flight, and what waits here for a place at it. */
  get counts(): StepCounts[] {
    return this.#queue.counts
  }

  /** What waits here for a place at each function. */
  get backlogs(): Pick<StepQueue<InHand>, 'backlogOf' | 'backlogOfChannel'> {
    return this.#queue
  }

  /**
   * A step that is leased to this node: in hand from now on, or parked where the queue has no room for it. One whose lease was
   * renewed was parked before.
   */
  #enqueue(turn: Turn, isRenewed = false): void {
    const { callback_id: callbackId, due_at } = turn.step
    if (this.#closed || this.#inHand.has(callbackId)) return
    this.#aside.delete(callbackId)
    this.#dueSteps.wakeBy(due_at)
    const inHand = this.#newInHand(turn)
    if (this.#queue.add(inHand, isRenewed)) this.#hold(inHand)
  }

  #takeInHand(turn: Turn): InHand {
    const inHand = this.#newInHand(turn)
    this.#hold(inHand)
    return inHand
  }

  #newInHand(turn: Turn): InHand {
    const { function_arn: functionArn, channel_arn: channelArn, due_at: dueAt } = turn.step
    this.#order += 1
    return { turn, functionName: functionNameOfStep(turn.step), functionArn, channelArn, dueAt, order: this.#order }
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
    this.#refill.gone(callbackId)
    if (!inHand) return
    inHand.cancelRecord?.()
    this.#queue.remove(inHand)
  }

  #setAside(inHand: InHand): void {
    const { clock, lease } = this.#parts
    const { callback_id: callbackId } = inHand.turn.step
    this.#letGo(callbackId)
    this.#aside.set(callbackId, clock.now() + lease.leaseMs)
  }

  #fillPlaces(): void {
    if (this.#closed) return
    const freePlaces = (name: string) => (this.#pauses.has(name) ? 0 : this.#parts.target.freePlaces(name))
    for (let next = this.#queue.take(freePlaces); next; next = this.#queue.take(freePlaces)) void this.#invoke(next)
    void this.#refill.run()
  }

  async #invoke(inHand: InHand): Promise<void> {
    const { functionName } = inHand
    const round = this.#pauses.round(functionName)
    const event = this.#eventFor(inHand)
    if (!event) return this.#end(inHand)
    const handOff = await this.#handOff(inHand, event)
    if (!handOff || handOff.result === 'deferred') return this.#deferred(inHand, handOff, round)
    this.#queue.release(inHand)
    this.#fillPlaces()
    const isRecorded = await this.#attemptEnded(inHand, handOff)
    this.#queue.end(inHand)
    if (isRecorded) this.#pauses.reset(functionName)
    else this.#pauses.begin(functionName, round)
  }

  #end(inHand: InHand): void {
    this.#queue.release(inHand)
    this.#queue.end(inHand)
  }

  /** Undefined for rows of which no event can be made. Other steps of the function go on. */
  #eventFor(inHand: InHand): ProcessorEvent | undefined {
    try {
      return processorEvent(inHand.turn)
    } catch (error) {
      const { message_id: messageId, channel_arn: channelArn } = inHand.turn.step
      // The message of the error may quote the text.
      const reason = error instanceof Error ? error.name : typeof error
      this.#parts.log.error({ channelArn, messageId, reason }, 'no event can be made of a message; trying again later')
      this.#setAside(inHand)
      return undefined
    }
  }

  /** Undefined when the target failed, which it must not. */
  async #handOff(inHand: InHand, event: ProcessorEvent): Promise<HandOff | undefined> {
    const { target, log } = this.#parts
    const { functionName, functionArn } = inHand
    try {
      return await target.invoke(functionName, functionArn, event, () => this.#handedOver(inHand))
    } catch (err) {
      log.error({ processor: functionName, err }, 'an event could not be handed over; trying again')
      return undefined
    }
  }

  /** The step keeps its lease and its turn. Its row stays as it is: no try and no attempt is counted. */
  #deferred(inHand: InHand, handOff: Deferred | undefined, round: number): void {
    if (handOff) this.#reportDeferred(inHand, handOff)
    inHand.cancelRecord?.()
    if (this.#holds(inHand)) this.#queue.putBack(inHand)
    else this.#end(inHand)
    if (this.#closed) return
    const pause = this.#pauses.begin(inHand.functionName, round)
    this.#fillPlaces()
    if (!pause || pause.failures < roundsBeforeGivingBack || handOff?.cause === 'throttled') return
    void this.#giveBack(inHand.functionName, pause.endsAt)
  }

  /**
   * This node has failed for some time to hand over events of the function, and another one may be able to. Each step
   * stays in hand until its row is written.
   */
  async #giveBack(functionName: string, dueAt: number): Promise<void> {
    const { store, lease, log } = this.#parts
    try {
      if (!(await isAnotherNodeAlive(store.read, lease.owner)) || this.#closed) return
      const steps = this.#takeOf(functionName, givenBackMax)
      await Promise.all(steps.map((inHand) => this.#giveStepBack(inHand, dueAt)))
      this.#dueSteps.yieldFrom(dueAt)
      log.debug({ processor: functionName, steps: steps.length }, 'steps given back: another node may take them')
      this.#fillPlaces()
    } catch (err) {
      log[levelOf(err)]({ processor: functionName, err }, 'steps could not be given back')
    }
  }

  /** The next steps of the function, which has no place for them. */
  #takeOf(functionName: string, stepsMax: number): InHand[] {
    const steps: InHand[] = []
    const places = (name: string) => (name === functionName ? stepsMax + 1 - steps.length : 0)
    for (let next = this.#queue.take(places); next; next = this.#queue.take(places)) {
      steps.push(next)
      if (steps.length === stepsMax) break
    }
    return steps
  }

  async #giveStepBack(inHand: InHand, dueAt: number): Promise<void> {
    const written = await this.#commit(inHand, giveBack(inHand.turn.step, dueAt))
    this.#end(inHand)
    if (!this.#holds(inHand)) return
    if (written === 'failed') this.#setAside(inHand)
    else this.#letGo(inHand.turn.step.callback_id)
  }

  #reportDeferred({ functionName: processor }: InHand, { cause, reason }: Deferred): void {
    const { shortages, log } = this.#parts
    log.debug({ processor, cause, reason }, 'an event could not be handed over for now; trying again')
    if (cause !== 'throttled' && cause !== 'closing') shortages.report(cause, reason)
  }

  /** A pause is over. Returns whether any step waits for the function, or is there. */
  #pauseIsOver(functionName: string): boolean {
    this.#fillPlaces()
    return this.#queue.has(functionName)
  }

  /** Returns false when the outcome could not be written. */
  async #attemptEnded(inHand: InHand, outcome: Outcome): Promise<boolean> {
    // The verdict has come meanwhile.
    if (!this.#holds(inHand)) return true
    inHand.cancelRecord?.()
    const { turn } = inHand
    const event = eventOf(outcome)
    const written = await this.#apply(inHand, event)
    if (typeof written === 'object' && outcome.result !== 'accepted') this.#report.waiting(turn, written, event)
    return written !== 'failed'
  }

  /** The clocks change at once; the row learns of it when the verdict takes long, and in time before its old deadline. */
  #handedOver(inHand: InHand): void {
    if (!this.#holds(inHand)) return
    const { clock, lease } = this.#parts
    const now = clock.now()
    const oldDeadlineAt = inHand.turn.step.deadline_at
    const result = transition(runOf(inHand.turn), { type: 'HandedOff' }, this.#world())
    const change = 'refusal' in result ? undefined : changeOf(inHand.turn, result, lease, now)
    if (change?.kind !== 'RecordHandOff') return
    inHand.turn = { ...inHand.turn, step: change.step }
    const recordAt = now + Math.min(recordDelayMs, Math.floor((oldDeadlineAt - now) / 2))
    inHand.cancelRecord = clock.at(recordAt, () => void this.#commit(inHand, change))
  }

  /** Makes durable what the event makes of the step. The next step comes back through the commit. */
  async #apply(inHand: InHand, event: FlowEvent): Promise<Written> {
    const { lease, clock } = this.#parts
    const result = transition(runOf(inHand.turn), event, this.#world())
    const change = 'refusal' in result ? undefined : changeOf(inHand.turn, result, lease, clock.now())
    if (!change) {
      if ('refusal' in result) this.#letGo(inHand.turn.step.callback_id)
      else this.#enqueue(inHand.turn, !this.#isStarting)
      return 'nothing'
    }
    this.#report.failure(inHand.turn, change.step, event)
    const written = await this.#commit(inHand, change)
    if (written === 'failed') this.#setAside(inHand)
    else if (this.#holds(inHand)) this.#letGo(change.step.callback_id)
    return written
  }

  async #commit(inHand: InHand, change: NonNullable<ReturnType<typeof changeOf>>): Promise<Written> {
    const { store, log } = this.#parts
    try {
      const { result } = await store.commit(change)
      if (change.kind === 'RecordHandOff') this.#dueSteps.wakeBy(change.step.due_at)
      return result === 'refused' ? 'nothing' : change.step
    } catch (error) {
      const { message_id: messageId } = inHand.turn.step
      const text = 'a step could not be written; it is taken up again when its lease is over'
      log[levelOf(error)]({ messageId, err: error }, text)
      return 'failed'
    }
  }

  /** All at once: what is said of a step here must still be so when it is acted upon. */
  async #resumeAll(turns: Turn[]): Promise<void> {
    const { clock } = this.#parts
    await Promise.all(turns.map((turn) => this.#resume(turn)))
    for (const [callbackId, until] of this.#aside) if (until <= clock.now()) this.#aside.delete(callbackId)
    this.#fillPlaces()
  }

  async #resume(turn: Turn): Promise<void> {
    const { callback_id: callbackId } = turn.step
    const inHand = this.#inHand.get(callbackId)
    // A step in hand continues under its renewed lease, unless its deadline has passed.
    if (inHand && this.#parts.clock.now() < inHand.turn.step.deadline_at) return
    await this.#apply(inHand ?? this.#newInHand(turn), { type: 'Due' })
  }

  #world(): World {
    const { clock, newId, random } = this.#parts
    return { now: clock.now(), newId, random }
  }
}

/** A store that is away is an operator's affair, and everything else a bug. */
const levelOf = (error: unknown) => (error instanceof StoreUnavailable ? 'warn' : 'error')

function eventOf(outcome: Outcome): FlowEvent {
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
