import { appInstanceOf, type Place } from '../contract/arn.ts'
import type { HandOff, ProcessorTarget } from '../processor/target.ts'
import type { Cancel, Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { StepCounts } from '../runtime/metrics.ts'
import type { Shortages } from '../runtime/shortage.ts'
import { type Store, StoreUnavailable } from '../store/store.ts'
import type { StepRow, Turn } from '../store/tables.ts'
import { changeOf, functionNameOfStep, type Lease, processorsOf, runOf } from './decision.ts'
import { processorEvent } from './processor-event.ts'
import { type FlowEvent, transition, type World } from './transition.ts'

/** Steps that wait here for a place at their processor; what comes beyond them waits as rows, until its lease is over. */
const waitingMax = 10_000
/** How many due steps are taken at a time. */
const leasedMax = 1_000
/** A hand-off is worth a write of its own only if the verdict is not quicker. */
const recordDelayMs = 1_000
/** How long after a failed look for due steps the next is taken. */
const sweepRetryMs = 1_000
/** When to look again for what is due and in another's hand. */
const takenPauseMs = 200
/** The first is AWS's name, the others are ours. */
const failures: { [type in FlowEvent['type']]?: string } = {
  Unreached: 'ProcessorInvocationFailure',
  Crashed: 'ProcessorCrashed',
}

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
}

/** A step this node has in hand: waiting for a place at its processor, or there. */
interface InHand {
  turn: Turn
  cancelRecord?: Cancel
}

/** The steps of one processor: as many are there as it takes, the rest stand in line. A stuck one delays only its own. */
interface Line {
  waiting: InHand[]
  inFlight: number
}

/**
 * The loop around `transition`: hands steps to their processors, feeds back what becomes of it, and wakes when a step is
 * due. All it knows is in the store; what it holds in memory is only hurry. A verdict does not pass through here: the
 * commit that it makes tells the engine which step is over and which comes next.
 */
export class FlowEngine {
  #parts: EngineParts
  #inHand = new Map<string, InHand>()
  #lines = new Map<string, Line>()
  /** What verdicts ended while due steps were being leased: their turns come too late. */
  #decidedMeanwhile = new Set<string>()
  #alarm: { atMs: number; cancel: Cancel } | undefined
  #sweeping: Promise<void> | undefined
  #closed = false

  constructor(parts: EngineParts) {
    this.#parts = parts
    parts.store.onCommit(({ decided, turns }) => {
      for (const callbackId of decided) this.#decided(callbackId)
      for (const turn of turns) this.#take(turn)
    })
  }

  /** Takes up what is due. */
  async start(): Promise<void> {
    await this.#sweep()
  }

  /** Looks for what another node has left or put off: it set its alarm there, not here. */
  look(): Promise<void> {
    return this.#orSoonAgain(() => this.#setAlarm(0))
  }

  /** What was taken in hand under this id is another node's by now. */
  forget(owner: string): void {
    for (const [callbackId, { turn }] of this.#inHand) if (turn.step.owner === owner) this.#letGo(callbackId)
  }

  /** Hands nothing over any more. What is in hand stays leased, and is taken up again by whoever comes next. */
  async close(): Promise<void> {
    this.#closed = true
    this.#alarm?.cancel()
    for (const { cancelRecord } of this.#inHand.values()) cancelRecord?.()
    this.#inHand.clear()
    await Promise.all([this.#sweeping, this.#parts.target.close()])
  }

  /** What each processor has, and what waits for it here. */
  get counts(): StepCounts[] {
    return [...this.#lines].map(([processor, { waiting, inFlight }]) => ({
      processor,
      waiting: waiting.length,
      inFlight,
    }))
  }

  #take(turn: Turn): void {
    if (this.#closed) return
    const name = functionNameOfStep(turn.step)
    const line = this.#lines.get(name) ?? { waiting: [], inFlight: 0 }
    this.#lines.set(name, line)
    this.#wakeBy(turn.step.due_at)
    if (line.waiting.length >= waitingMax) return
    const inHand = { turn }
    this.#inHand.set(turn.step.callback_id, inHand)
    line.waiting.push(inHand)
    this.#serve(name, line)
  }

  #decided(callbackId: string): void {
    if (this.#sweeping) this.#decidedMeanwhile.add(callbackId)
    this.#letGo(callbackId)
  }

  #letGo(callbackId: string): void {
    this.#inHand.get(callbackId)?.cancelRecord?.()
    this.#inHand.delete(callbackId)
  }

  #serve(name: string, line: Line): void {
    while (this.#parts.target.freePlaces(name) > 0) {
      const inHand = line.waiting.shift()
      if (!inHand) break
      if (!this.#holds(inHand)) continue
      line.inFlight += 1
      void this.#invoke(name, inHand).finally(() => {
        line.inFlight -= 1
        this.#serve(name, line)
      })
    }
    if (line.inFlight === 0) this.#lines.delete(name)
  }

  async #invoke(name: string, inHand: InHand): Promise<void> {
    const { target } = this.#parts
    const event = processorEvent(inHand.turn)
    const handOff = await target.invoke(name, inHand.turn.step.function_arn, event, () => this.#handedOver(inHand))
    if (handOff.result === 'deferred') this.#reportShortage(handOff)
    if (!this.#holds(inHand)) return
    inHand.cancelRecord?.()
    const { turn } = inHand
    const isWritten = await this.#apply(inHand, eventOf(handOff))
    // Not where the verdict has come meanwhile, to this node or another.
    if (handOff.result === 'completed' && isWritten) this.#reportSilence(turn)
  }

  #reportShortage({ cause, reason }: Extract<HandOff, { result: 'deferred' }>): void {
    if (cause !== 'throttled' && cause !== 'closing') this.#parts.shortages.report(cause, reason)
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

  /**
   * What the event makes of the step becomes durable; the next step comes back through the commit. Answers whether it was
   * written.
   */
  async #apply(inHand: InHand, event: FlowEvent): Promise<boolean> {
    const { lease, clock } = this.#parts
    const result = transition(runOf(inHand.turn), event, this.#world())
    const change = 'refusal' in result ? undefined : changeOf(inHand.turn, result, lease, clock.now())
    if (!change) {
      if ('refusal' in result) this.#letGo(inHand.turn.step.callback_id)
      else this.#take(inHand.turn)
      return false
    }
    this.#report(inHand.turn, change.step, event)
    const isWritten = await this.#commit(inHand, change)
    if (this.#holds(inHand)) this.#letGo(change.step.callback_id)
    return isWritten
  }

  /** A write that fails is made up for when the lease runs out: the row still says that the step is open. */
  async #commit(inHand: InHand, change: NonNullable<ReturnType<typeof changeOf>>): Promise<boolean> {
    const { store, log } = this.#parts
    try {
      const { result } = await store.commit(change)
      if (change.kind === 'RecordHandOff') this.#wakeBy(change.step.due_at)
      return result !== 'refused'
    } catch (error) {
      const { message_id: messageId } = inHand.turn.step
      const text = 'a step could not be written; it is taken up again when its lease is over'
      log[levelOf(error)]({ messageId, err: error }, text)
      return false
    }
  }

  #wakeBy(atMs: number): void {
    if (this.#closed || (this.#alarm && this.#alarm.atMs <= atMs)) return
    this.#alarm?.cancel()
    const cancel = this.#parts.clock.at(atMs, () => {
      this.#alarm = undefined
      void this.#sweep()
    })
    this.#alarm = { atMs, cancel }
  }

  /** One sweep at a time; whoever asks meanwhile gets the one that is under way, and the alarm it sets. */
  #sweep(): Promise<void> {
    this.#sweeping ??= this.#takeDueSteps().finally(() => {
      this.#sweeping = undefined
    })
    return this.#sweeping
  }

  async #takeDueSteps(): Promise<void> {
    const { clock } = this.#parts
    await this.#orSoonAgain(async () => {
      let leased = leasedMax
      while (leased === leasedMax && !this.#closed) leased = await this.#leaseDueSteps()
      await this.#setAlarm(clock.now() + takenPauseMs)
    })
  }

  /** For the step that is due next, whoever made it. What is due and was not to be had is another's: not before then. */
  async #setAlarm(notBefore: number): Promise<void> {
    const next = await this.#parts.store.nextDueAt()
    if (next === undefined) return
    this.#wakeBy(next <= this.#parts.clock.now() ? Math.max(next, notBefore) : next)
  }

  async #orSoonAgain(look: () => Promise<void>): Promise<void> {
    const { clock, log } = this.#parts
    try {
      await look()
    } catch (error) {
      log[levelOf(error)]({ err: error }, 'due steps could not be read; trying again')
      this.#wakeBy(clock.now() + sweepRetryMs)
    }
  }

  async #leaseDueSteps(): Promise<number> {
    const { store, clock, lease } = this.#parts
    const now = clock.now()
    const leaseUntil = now + lease.leaseMs
    this.#decidedMeanwhile.clear()
    const turns = await store.commit({ kind: 'LeaseSteps', owner: lease.owner, now, leaseUntil, stepsMax: leasedMax })
    // All at once: what is said of a step here must still be so when it is acted upon.
    await Promise.all(turns.map((turn) => this.#resume(turn)))
    return turns.length
  }

  async #resume(turn: Turn): Promise<void> {
    const { callback_id: callbackId } = turn.step
    if (this.#decidedMeanwhile.has(callbackId)) return
    const inHand = this.#inHand.get(callbackId)
    // What is in hand goes on with its lease renewed, unless its time is up.
    if (inHand && this.#parts.clock.now() < inHand.turn.step.deadline_at) return
    await this.#apply(inHand ?? { turn }, { type: 'Due' })
  }

  #holds(inHand: InHand): boolean {
    return this.#inHand.get(inHand.turn.step.callback_id) === inHand
  }

  #world(): World {
    const { clock, newId, random } = this.#parts
    return { now: clock.now(), newId, random }
  }

  /** As AWS tells EventBridge of it, whatever the FallbackAction ("Chime ChannelFlow Processing Status"). */
  #report(turn: Turn, after: StepRow, event: FlowEvent): void {
    const failed = failures[event.type]
    if (!failed && after.state !== 'EXPIRED') return
    const { place, log } = this.#parts
    const { step, run } = turn
    const processor = processorsOf(run)[step.position]
    const detail = {
      eventType: failed ?? 'ProcessorDeadlinePassed',
      account: place.account,
      appInstanceArn: appInstanceOf(step.channel_arn),
      channelArn: step.channel_arn,
      messageId: step.message_id,
      processor: processor?.name,
      processorResourceArn: step.function_arn,
      failureReason: 'reason' in event ? event.reason : 'no verdict before the deadline',
      fallbackAction: processor?.fallbackAction,
      stepState: after.state,
      attempts: after.attempts,
      ...(after.state === 'DISPATCHING' && { nextAttempt: new Date(after.due_at).toISOString() }),
    }
    log.warn(detail, 'Chime ChannelFlow Processing Status')
  }

  /** Most likely the processor forgot its callback: without a word about it the message would just stay PENDING. */
  #reportSilence({ step, run }: Turn): void {
    const { channel_arn: channelArn, message_id: messageId } = step
    const processor = processorsOf(run)[step.position]?.name
    const waitsUntil = new Date(step.deadline_at).toISOString()
    const fields = { channelArn, messageId, processor, waitsUntil }
    this.#parts.log.warn(fields, 'the processor ended without ChannelFlowCallback; the message waits for it')
  }
}

/** A store that is away is an operator's affair, and everything else a bug. */
const levelOf = (error: unknown) => (error instanceof StoreUnavailable ? 'warn' : 'error')

function eventOf(handOff: HandOff): FlowEvent {
  switch (handOff.result) {
    case 'accepted':
    case 'completed':
      return { type: 'Completed' }
    case 'crashed':
      return { type: 'Crashed', reason: handOff.reason }
    case 'unreached':
      return { type: 'Unreached', reason: handOff.reason, permanent: handOff.permanent }
    case 'deferred':
      return { type: 'Unreached', reason: handOff.reason, permanent: false }
  }
}
