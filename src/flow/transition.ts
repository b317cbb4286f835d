import type { MessageText } from '../store/tables.ts'

/*
 * A run takes one message revision through its flow's processors, one after another.
 *
 *   run    RUNNING ──► SENT | DENIED | FAILED
 *
 *   step   DISPATCHING ──HandedOff──► AWAITING ──Verdict──► ALLOWED ──► next step, or the run is SENT
 *             │    ▲                    │    └──Verdict──► DENIED  ──► the run is DENIED
 *             │    └──────Crashed───────┤
 *             │                         └──deadline──► EXPIRED ──► the run is FAILED
 *             └──Unreached──► UNREACHABLE ──► FallbackAction: CONTINUE as if allowed, ABORT: the run is FAILED
 *
 * Whatever state an open step is in, Stopped makes it EXPIRED, and the run is FAILED.
 *
 * Two clocks that never mix. Reach: the processor cannot be handed the event; only this runs the FallbackAction.
 * Verdict: it was handed the event; a crash is tried again, silence is waited for, and nothing but a callback approves.
 * A verdict counts as soon as the step is open, since a quick processor answers before its hand-off is known.
 * The first verdict wins: a step that is over never changes again.
 */

/** How often a processor that cannot be reached is tried, and how long each pause is at most. */
const triesMax = 3
const tryPauseMs = [1_000, 4_000]
/**
 * As Lambda treats an asynchronous event: three attempts in all, the second about one minute after the first has
 * failed, the third two minutes later.
 */
const attemptPauseMs = [60_000, 120_000]
/**
 * The first of these pauses when only the connection was cut: the endpoint restarts, and the function most likely never
 * ran. It replaces the minute; the maximum is still three attempts.
 */
const cutPauseMs = 5_000

export interface Processor {
  name: string
  functionArn: string
  fallbackAction: 'CONTINUE' | 'ABORT'
  /** Whether it has changed the message in this run. */
  hasChanged: boolean
}

export interface Step {
  callbackId: string
  /** Which of the run's processors, from 0. */
  position: number
  state: 'DISPATCHING' | 'AWAITING' | 'ALLOWED' | 'DENIED' | 'UNREACHABLE' | 'EXPIRED'
  tries: number
  attempts: number
  /** Whether a node owns the step; if not, it waits for `dueAt`. */
  held: boolean
  dueAt: number
  deadlineAt: number
  handedOffAt: number | undefined
  decidedAt: number | undefined
  failure: string | undefined
}

export interface Run {
  processors: readonly Processor[]
  /** How long each processor has, in milliseconds. */
  deadlineMs: number
  state: 'RUNNING' | 'SENT' | 'DENIED' | 'FAILED'
  /** What processors have changed so far. */
  text: Partial<MessageText>
  /** The step that the event is about. */
  step: Step
}

export type FlowEvent =
  | { type: 'Verdict'; deny: boolean; text: Partial<MessageText> }
  | { type: 'HandedOff' }
  | { type: 'Unreached'; reason: string; permanent: boolean }
  /** `retrySoon` when only the connection to the processor was cut. */
  | { type: 'Crashed'; reason: string; retrySoon?: boolean }
  /** The attempt ended well; the verdict may still come, from wherever. */
  | { type: 'Completed' }
  /** A node has taken the step: it was due, or its owner is gone. */
  | { type: 'Due' }
  /** The message must not be released any more, whatever its processors say. */
  | { type: 'Stopped'; reason: string }

/** What the loop has to carry out, in this order. */
export type Effect =
  | { effect: 'RecordStep'; step: Step }
  | { effect: 'DecideStep'; step: Step }
  | { effect: 'OpenStep'; step: Step }
  | { effect: 'InvokeProcessor'; step: Step }
  | { effect: 'EndMessage'; status: 'SENT' | 'DENIED' | 'FAILED'; detail: string | undefined }

/**
 * Why a verdict is not taken. NotPending: its step is over and the message went on, or out. Forbidden: the message was
 * denied or has failed, or the verdict is late. Ignored: the outcome of an attempt that no node owns any more.
 */
type Refusal = 'NotPending' | 'Forbidden' | 'Ignored'

/** A run after an event, and what has to be done about it. */
export interface Progress {
  run: Run
  effects: Effect[]
}

export type Transition = Progress | { refusal: Refusal }

export interface World {
  now: number
  newId(): string
  /** From 0 up to 1. */
  random(): number
}

/** The first step of a new run, or the next of a running one. */
export function openStep(run: Pick<Run, 'deadlineMs'>, position: number, { now, newId }: World): Step {
  const deadlineAt = now + run.deadlineMs
  const unknown = { handedOffAt: undefined, decidedAt: undefined, failure: undefined }
  const fresh = { state: 'DISPATCHING' as const, tries: 0, attempts: 0, held: true, dueAt: deadlineAt }
  return { callbackId: newId(), position, ...fresh, deadlineAt, ...unknown }
}

export const isOpen = (step: Pick<Step, 'state'>) => step.state === 'DISPATCHING' || step.state === 'AWAITING'

/** The run after the event, and what has to be done about it. The run that was given stays as it is. */
export function transition(run: Run, event: FlowEvent, world: World): Transition {
  const { step } = run
  if (!isOpen(step)) return { refusal: event.type === 'Verdict' ? refusalOf(run) : 'Ignored' }
  if (event.type === 'Stopped') return end(decide(run, 'EXPIRED', world), 'FAILED', event.reason)
  const late = world.now >= step.deadlineAt
  if (event.type === 'Verdict') {
    if (late) return { refusal: 'Forbidden' }
    return event.deny ? deny(run, world) : allow(run, event.text, world)
  }
  if (event.type !== 'Due' && !step.held) return { refusal: 'Ignored' }
  if (late) return expire(run, world)
  switch (event.type) {
    case 'HandedOff':
      return handedOff(run, world)
    case 'Unreached':
      return unreached(run, event, world)
    case 'Crashed':
      return crashed(reached(run, world), event, world)
    case 'Completed':
      return waitForVerdict(reached(run, world))
    case 'Due':
      return due(run)
  }
}

function refusalOf(run: Run): Refusal {
  return run.state === 'SENT' || run.state === 'RUNNING' ? 'NotPending' : 'Forbidden'
}

function deny(run: Run, world: World): Transition {
  return end(decide(run, 'DENIED', world), 'DENIED', undefined)
}

function allow(run: Run, text: Partial<MessageText>, world: World): Transition {
  return goOn({ ...decide(run, 'ALLOWED', world), text: { ...run.text, ...text } }, world)
}

function handedOff(run: Run, world: World): Transition {
  const after = reached(run, world)
  return record(after, after.step)
}

/** The processor has the event, as it must when its attempt has ended. The deadline counts anew from the first time. */
function reached(run: Run, { now }: World): Run {
  const { handedOffAt } = run.step
  const deadlineAt = handedOffAt === undefined ? now + run.deadlineMs : run.step.deadlineAt
  return { ...run, step: { ...run.step, state: 'AWAITING', tries: 0, deadlineAt, handedOffAt: handedOffAt ?? now } }
}

function unreached(run: Run, event: { reason: string; permanent: boolean }, world: World): Transition {
  const tries = run.step.tries + 1
  const step = { ...run.step, tries, failure: event.reason }
  if (!event.permanent && tries < triesMax) {
    const pauseMs = (tryPauseMs[tries - 1] ?? 0) * (0.5 + world.random() / 2)
    return tryAgainAt({ ...run, step }, world.now + Math.round(pauseMs))
  }
  // A processor that was reached before has the event: its verdict is waited for, as after a crash.
  if (step.handedOffAt !== undefined) return waitForVerdict({ ...run, step })
  const decided = decide({ ...run, step }, 'UNREACHABLE', world)
  const processor = run.processors[run.step.position] as Processor
  return processor.fallbackAction === 'CONTINUE'
    ? goOn(decided, world)
    : end(decided, 'FAILED', 'Processor invocation failed')
}

function crashed(run: Run, event: { reason: string; retrySoon?: boolean }, { now }: World): Transition {
  const { attempts } = run.step
  const pauseMs = event.retrySoon && attempts === 0 ? cutPauseMs : attemptPauseMs[attempts]
  const step = { ...run.step, attempts: attempts + 1, failure: event.reason }
  return pauseMs === undefined ? waitForVerdict({ ...run, step }) : tryAgainAt({ ...run, step }, now + pauseMs)
}

/** The processor gets the same event again. */
function due(run: Run): Transition {
  const step: Step = { ...run.step, held: true }
  return { run: { ...run, step }, effects: [{ effect: 'InvokeProcessor', step }] }
}

function expire(run: Run, world: World): Transition {
  return end(decide(run, 'EXPIRED', world), 'FAILED', 'Processor did not answer in time')
}

function tryAgainAt(run: Run, atMs: number): Transition {
  const dueAt = Math.min(atMs, run.step.deadlineAt)
  return record(run, { ...run.step, state: 'DISPATCHING', held: false, dueAt })
}

/** From here on there are only the verdict and the deadline. */
function waitForVerdict(run: Run): Transition {
  return record(run, { ...run.step, state: 'AWAITING', held: false, dueAt: run.step.deadlineAt })
}

function record(run: Run, step: Step): Transition {
  return { run: { ...run, step }, effects: [{ effect: 'RecordStep', step }] }
}

function decide(run: Run, state: Step['state'], { now }: World): Run {
  return { ...run, step: { ...run.step, state, held: false, decidedAt: now } }
}

/** The decided step's successor, or the end of the line: the message goes out. */
function goOn(run: Run, world: World): Transition {
  const position = run.step.position + 1
  if (position >= run.processors.length) return end(run, 'SENT', undefined)
  const next = openStep(run, position, world)
  const effects: Effect[] = [
    { effect: 'DecideStep', step: run.step },
    { effect: 'OpenStep', step: next },
  ]
  return { run: { ...run, step: next }, effects }
}

function end(run: Run, state: 'SENT' | 'DENIED' | 'FAILED', detail: string | undefined): Transition {
  const effects: Effect[] = [
    { effect: 'DecideStep', step: run.step },
    { effect: 'EndMessage', status: state, detail },
  ]
  return { run: { ...run, state }, effects }
}
