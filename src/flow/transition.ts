import type { MessageText } from '../store/tables.ts'
import { codeOf } from './error-code.ts'

/*
 * A run passes one message revision through the processors of its flow, one after the other.
 *
 *   run    RUNNING ──► SENT | DENIED | FAILED
 *
 *   step   DISPATCHING ──HandedOff──► AWAITING ──Verdict──► ALLOWED ──► next step, or the run is SENT
 *             │    ▲                    │    └──Verdict──► DENIED  ──► the run is DENIED
 *             │    └──────Crashed───────┤
 *             │                         └──deadline──► EXPIRED ──► `onDeadline`: as if allowed, or the run is FAILED
 *             └──Unreached──► UNREACHABLE ──► FallbackAction: CONTINUE as if allowed, ABORT: the run is FAILED
 *
 * In every state of an open step, Stopped makes it EXPIRED, and the run is FAILED; Again makes it DISPATCHING.
 *
 * There are two independent time limits. Reach: the hand-off fails; after the last try, the FallbackAction decides.
 * Verdict: the hand-off succeeded. A crash is retried, and a missing verdict expires at the deadline: the FallbackAction
 * does not apply. Then only a policy that an operator has set, `onDeadline`, lets the message pass.
 * A verdict counts as soon as the step is open, because a fast processor calls back before the end of its hand-off.
 * The first verdict counts: a step that has ended never changes again.
 */

/** The maximum of tries to reach a processor, and the maximum of each pause between them. */
const triesMax = 3
const tryPauseMs = [1_000, 4_000]
/**
 * As in Lambda's asynchronous invocation: three attempts, the second about one minute after the failure of the first,
 * the third two minutes later. Each further pause is twice as long, too.
 */
const attemptsMaxDefault = 3
const retryMsDefault = 60_000
/** The maximum of a pause that has doubled. */
export const doubledPauseMsMax = 3_600_000
/**
 * The maximum of the first of these pauses if only the connection broke: the endpoint restarts, and the function most
 * likely did not run. The maximum of attempts is the same.
 */
const cutPauseMs = 5_000

/** So many entries about attempts are kept for each step. */
export const attemptsKept = 8
/** Status.Detail has at most so many characters (AWS's API reference, ChannelMessageStatusStructure). */
const detailLengthMax = 256

/** What an operator has set for one processor. Members that are not set have the default. */
export interface ProcessorPolicy {
  /** The time limit for its verdict, in place of the run's. */
  deadlineMs?: number
  /** What follows when the deadline has passed: `continue` lets the message pass as if it were allowed. */
  onDeadline?: 'fail' | 'continue'
  /** The maximum of failed attempts. */
  attempts?: number
  /** The pause after the first failed attempt. It doubles with each further one. */
  retryMs?: number
}

export interface Processor {
  name: string
  functionArn: string
  fallbackAction: 'CONTINUE' | 'ABORT'
  policy?: ProcessorPolicy | undefined
  /** Whether it has changed the message in this run. */
  hasChanged: boolean
}

export interface Step {
  callbackId: string
  /** The index of its processor in the run, from 0. */
  position: number
  state: 'DISPATCHING' | 'AWAITING' | 'ALLOWED' | 'DENIED' | 'UNREACHABLE' | 'EXPIRED'
  tries: number
  attempts: number
  /** Whether a node owns the step; if not, any node may take it at `dueAt`. */
  isOwned: boolean
  dueAt: number
  deadlineAt: number
  handedOffAt: number | undefined
  decidedAt: number | undefined
  failure: string | undefined
  /** The failed attempts and the operators' orders for another one, the latest last: at most `attemptsKept` of them. */
  failedAttempts: readonly Attempt[]
  decision: Decision | undefined
}

/**
 * A failed attempt, or another hand-off: by an operator's order, or after a restart or the death of a node. Without any text
 * of the message or of the processor.
 */
export interface Attempt {
  at: number
  what: 'unreached' | 'crashed' | 'ended without a callback' | 'handed again'
  /** The class or the code of the error: `ECONNREFUSED`, `TypeError`, `HTTP 503`. */
  code?: string | undefined
  /** The access key of the operator who ordered it. */
  keyId?: string
}

/** Why a processor, or a person, denied the message. */
export interface Reason {
  code: string
  text: string
}

/**
 * Who or what decided a step. A step without one was decided by its processor or its FallbackAction, or has expired, as its
 * state says.
 */
export interface Decision {
  /** `on-deadline`: the step has expired, and its processor's policy let the message pass. */
  by: 'callback' | 'operator' | 'ban' | 'on-deadline'
  /** The access key of a person's decision. */
  keyId?: string
  reason?: Reason | undefined
}

export interface Run {
  processors: readonly Processor[]
  /** The time limit of each processor whose policy has none, in milliseconds. */
  deadlineMs: number
  state: 'RUNNING' | 'SENT' | 'DENIED' | 'FAILED'
  /** The members that processors have changed so far. */
  text: Partial<MessageText>
  /** The step that the event is about. */
  step: Step
}

export type FlowEvent =
  | { type: 'Verdict'; deny: boolean; text: Partial<MessageText>; decision?: Decision | undefined }
  | { type: 'HandedOff' }
  | { type: 'Unreached'; reason: string; permanent: boolean }
  /** `retrySoon` if only the connection to the processor broke. */
  | { type: 'Crashed'; reason: string; retrySoon?: boolean }
  /** The attempt succeeded; the verdict may still arrive, from any client. */
  | { type: 'Completed' }
  /** A node has taken the step: it was due, or its owner is dead. */
  | { type: 'Due' }
  /** An operator wants the processor to be invoked again, whatever happened before. */
  | { type: 'Again'; keyId: string }
  /** The message must not be released any more, whatever the verdicts of its processors. */
  | { type: 'Stopped'; reason: string; by?: Decision['by']; keyId?: string }

/** The actions that follow a transition, in this order. */
export type Effect =
  | { effect: 'RecordStep'; step: Step }
  | { effect: 'DecideStep'; step: Step }
  | { effect: 'OpenStep'; step: Step }
  | { effect: 'InvokeProcessor'; step: Step }
  | { effect: 'EndMessage'; status: 'SENT' | 'DENIED' | 'FAILED'; detail: string | undefined }

/**
 * NotPending: the verdict's step has ended, and the message is at a later step or was released. Forbidden: the message was
 * denied or has failed, or the verdict is late. Ignored: the outcome of an attempt whose step is not owned any more.
 */
type Rejection = 'NotPending' | 'Forbidden' | 'Ignored'

/** A run after an event, with the actions that follow. */
export interface Progress {
  run: Run
  effects: Effect[]
}

export type Transition = Progress | { rejection: Rejection }

export interface World {
  now: number
  newId(): string
  /** From 0 up to 1. */
  random(): number
}

/** The first step of a new run, or the next step of a running one, with the time limit of its processor. */
export function openStep({ deadlineMs }: { deadlineMs: number }, position: number, { now, newId }: World): Step {
  const deadlineAt = now + deadlineMs
  const unknown = { handedOffAt: undefined, decidedAt: undefined, failure: undefined, decision: undefined }
  const fresh = { state: 'DISPATCHING' as const, tries: 0, attempts: 0, isOwned: true, dueAt: deadlineAt }
  return { callbackId: newId(), position, ...fresh, deadlineAt, failedAttempts: [], ...unknown }
}

export const isOpen = (step: Pick<Step, 'state'>) => step.state === 'DISPATCHING' || step.state === 'AWAITING'

/** Applies the event to a run. The argument is not modified. */
export function transition(run: Run, event: FlowEvent, world: World): Transition {
  const { step } = run
  if (!isOpen(step)) return { rejection: event.type === 'Verdict' ? rejectionOf(run) : 'Ignored' }
  if (event.type === 'Stopped') return stop(run, event, world)
  const late = world.now >= step.deadlineAt
  if (event.type === 'Verdict') {
    if (late) return { rejection: 'Forbidden' }
    const decided = withDecision(run, event.decision)
    return event.deny ? deny(decided, world) : allow(decided, event.text, world)
  }
  if (event.type === 'Again') return late ? { rejection: 'Forbidden' } : again(run, event, world)
  if (event.type !== 'Due' && !step.isOwned) return { rejection: 'Ignored' }
  if (late) return expire(run, world)
  switch (event.type) {
    case 'HandedOff':
      return handedOff(run, world)
    case 'Unreached':
      return unreached(run, event, world)
    case 'Crashed':
      return crashed(reached(run, world), event, world)
    case 'Completed':
      return completed(reached(run, world), world)
    case 'Due':
      return due(run)
  }
}

function stop(run: Run, { reason, by, keyId }: FlowEvent & { type: 'Stopped' }, world: World): Transition {
  const decision = by && { by, ...(keyId !== undefined && { keyId }) }
  const decided = decide(withDecision(run, decision), 'EXPIRED', world)
  return end(decided, 'FAILED', reason)
}

function rejectionOf(run: Run): Rejection {
  return run.state === 'SENT' || run.state === 'RUNNING' ? 'NotPending' : 'Forbidden'
}

function withDecision(run: Run, decision: Decision | undefined): Run {
  return decision ? { ...run, step: { ...run.step, decision } } : run
}

function deny(run: Run, world: World): Transition {
  const reason = run.step.decision?.reason
  return end(decide(run, 'DENIED', world), 'DENIED', reason && detailOf(reason))
}

const detailOf = ({ code, text }: Reason) => (text === '' ? code : `${code}: ${text}`)

function withAttempt(step: Step, attempt: Attempt): Step {
  return { ...step, failedAttempts: [...step.failedAttempts, attempt].slice(-attemptsKept) }
}

function allow(run: Run, text: Partial<MessageText>, world: World): Transition {
  return proceed({ ...decide(run, 'ALLOWED', world), text: { ...run.text, ...text } }, world)
}

/** If it waits for its verdict already, a node had it before this one, or before its restart. */
function handedOff(run: Run, world: World): Transition {
  const { step } = reached(run, world)
  return record(run, run.step.state === 'AWAITING' ? withAttempt(step, { at: world.now, what: 'handed again' }) : step)
}

const processorAt = (run: Run, position: number) => run.processors[position] as Processor

const deadlineMsOf = (run: Run, position: number) => processorAt(run, position).policy?.deadlineMs ?? run.deadlineMs

/**
 * The processor has received the event: the end of an attempt implies it. The deadline starts again at the first time; one
 * that an operator has extended further stays.
 */
function reached(run: Run, { now }: World): Run {
  const { handedOffAt, position } = run.step
  const anew = now + deadlineMsOf(run, position)
  const deadlineAt = handedOffAt === undefined ? Math.max(anew, run.step.deadlineAt) : run.step.deadlineAt
  return { ...run, step: { ...run.step, state: 'AWAITING', tries: 0, deadlineAt, handedOffAt: handedOffAt ?? now } }
}

function unreached(run: Run, event: { reason: string; permanent: boolean }, world: World): Transition {
  const tries = run.step.tries + 1
  const failed = { ...run.step, tries, failure: event.reason }
  const step = withAttempt(failed, { at: world.now, what: 'unreached', code: codeOf(event.reason) })
  if (!event.permanent && tries < triesMax) {
    const pauseMs = (tryPauseMs[tries - 1] ?? 0) * (0.5 + world.random() / 2)
    return retryAt({ ...run, step }, world.now + Math.round(pauseMs))
  }
  // A processor that was reached before has the event: the step waits for its verdict, as after a crash.
  if (step.handedOffAt !== undefined) return waitForVerdict({ ...run, step })
  const decided = decide({ ...run, step }, 'UNREACHABLE', world)
  const processor = processorAt(run, run.step.position)
  return processor.fallbackAction === 'CONTINUE'
    ? proceed(decided, world)
    : end(decided, 'FAILED', `Processor invocation failed: ${processor.name}`)
}

function crashed(run: Run, event: { reason: string; retrySoon?: boolean }, { now }: World): Transition {
  const { attempts: before, position } = run.step
  const attempts = before + 1
  const { policy } = processorAt(run, position)
  const failed = { ...run.step, attempts, failure: event.reason }
  const step = withAttempt(failed, { at: now, what: 'crashed', code: codeOf(event.reason) })
  if (attempts >= (policy?.attempts ?? attemptsMaxDefault)) return waitForVerdict({ ...run, step })
  const pauseMs = attemptPauseMs(policy?.retryMs ?? retryMsDefault, attempts)
  const isCut = event.retrySoon === true && before === 0
  return retryAt({ ...run, step }, now + (isCut ? Math.min(cutPauseMs, pauseMs) : pauseMs))
}

/** The pause after so many failed attempts. */
const attemptPauseMs = (firstMs: number, attempts: number) => Math.min(firstMs * 2 ** (attempts - 1), doubledPauseMsMax)

/** The processor ended its work. Its verdict may still come from elsewhere. */
function completed(run: Run, { now }: World): Transition {
  return waitForVerdict({ ...run, step: withAttempt(run.step, { at: now, what: 'ended without a callback' }) })
}

/** The processor receives the same event again. */
function due(run: Run): Transition {
  const step: Step = { ...run.step, isOwned: true }
  return { run: { ...run, step }, effects: [{ effect: 'InvokeProcessor', step }] }
}

/** All tries and attempts begin anew; the deadline and the time of the first hand-off stay. */
function again(run: Run, { keyId }: { keyId: string }, { now }: World): Transition {
  const step = withAttempt(run.step, { at: now, what: 'handed again', keyId })
  const { deadlineAt: dueAt } = step
  return record(run, { ...step, state: 'DISPATCHING', tries: 0, attempts: 0, isOwned: true, dueAt })
}

function expire(run: Run, world: World): Transition {
  const { name, policy } = processorAt(run, run.step.position)
  if (policy?.onDeadline === 'continue') {
    return proceed(decide(withDecision(run, { by: 'on-deadline' }), 'EXPIRED', world), world)
  }
  return end(decide(run, 'EXPIRED', world), 'FAILED', `Processor did not answer in time: ${name}`)
}

function retryAt(run: Run, atMs: number): Transition {
  const dueAt = Math.min(atMs, run.step.deadlineAt)
  return record(run, { ...run.step, state: 'DISPATCHING', isOwned: false, dueAt })
}

/** Only the verdict or the deadline can end the step now. */
function waitForVerdict(run: Run): Transition {
  return record(run, { ...run.step, state: 'AWAITING', isOwned: false, dueAt: run.step.deadlineAt })
}

function record(run: Run, step: Step): Transition {
  return { run: { ...run, step }, effects: [{ effect: 'RecordStep', step }] }
}

function decide(run: Run, state: Step['state'], { now }: World): Run {
  return { ...run, step: { ...run.step, state, isOwned: false, decidedAt: now } }
}

/** Opens the next step, or releases the message after the last one. */
function proceed(run: Run, world: World): Transition {
  const position = run.step.position + 1
  if (position >= run.processors.length) return end(run, 'SENT', undefined)
  const next = openStep({ deadlineMs: deadlineMsOf(run, position) }, position, world)
  const effects: Effect[] = [
    { effect: 'DecideStep', step: run.step },
    { effect: 'OpenStep', step: next },
  ]
  return { run: { ...run, step: next }, effects }
}

function end(run: Run, state: 'SENT' | 'DENIED' | 'FAILED', detail: string | undefined): Transition {
  const effects: Effect[] = [
    { effect: 'DecideStep', step: run.step },
    { effect: 'EndMessage', status: state, detail: detail?.slice(0, detailLengthMax) },
  ]
  return { run: { ...run, state }, effects }
}
