import type { MessageStatus, Timeline, TimelineRun, TimelineStep } from '../server/messages.ts'

type Tone = 'neutral' | 'wait' | 'work' | 'good' | 'bad'

interface Span {
  from: number
  to: number
  tone: Tone
  label: string
}

interface Mark {
  at: number
  tone: Tone
  label: string
}

export interface Lane {
  title: string
  spans: Span[]
  marks: Mark[]
  /** What it has come to, in words. */
  end: string
}

type Attempt = TimelineStep['Attempts'][number]

/** One run drawn over time: a lane for the server, and one for each processor. Times are in seconds. */
export interface Drawing {
  from: number
  to: number
  lanes: Lane[]
}

/** An instant is drawn with a width: the shortest run that can be read. */
const secondsMin = 0.001

export function drawingOf(run: TimelineRun, nowSeconds: number): Drawing {
  const from = run.AcceptedAt
  const to = Math.max(run.EndedAt ?? nowSeconds, ...run.Steps.flatMap(timesOf), from + secondsMin)
  return { from, to, lanes: [serverLane(run), ...run.Steps.map((step) => stepLane(step, to))] }
}

const timesOf = ({ OpenedAt, DecidedAt = OpenedAt, Attempts }: TimelineStep) => [
  OpenedAt,
  DecidedAt,
  ...Attempts.map(({ At }) => At),
]

function serverLane({ AcceptedAt, EndedAt, State, Detail }: TimelineRun): Lane {
  const accepted: Mark = { at: AcceptedAt, tone: 'neutral', label: 'Accepted' }
  if (EndedAt === undefined) return { title: 'Message', spans: [], marks: [accepted], end: 'Held' }
  const end = outcomeLabel(State, Detail)
  return { title: 'Message', spans: [], marks: [accepted, { at: EndedAt, tone: runTone(State), label: end }], end }
}

const outcomeLabel = (state: TimelineRun['State'], detail: string | undefined) =>
  `${state === 'SENT' ? 'Published' : state === 'DENIED' ? 'Denied' : 'Failed'}${detail ? `: ${detail}` : ''}`

export const runTone = (state: TimelineRun['State']): Tone =>
  state === 'SENT' ? 'good' : state === 'DENIED' || state === 'FAILED' ? 'bad' : 'wait'

function stepLane(step: TimelineStep, end: number): Lane {
  const { OpenedAt, HandedOffAt, DecidedAt, State, Attempts, Waits } = step
  const attempts: Mark[] = Attempts.map((attempt) => ({
    at: attempt.At,
    tone: attemptTone(attempt),
    label: attemptText(attempt),
  }))
  const verdict = { tone: stepTone(State), label: verdictOf(step) }
  return {
    title: step.Processor,
    spans: spansOf(OpenedAt, HandedOffAt, DecidedAt ?? end, DecidedAt !== undefined),
    marks: DecidedAt === undefined ? attempts : [...attempts, { at: DecidedAt, ...verdict }],
    end: Waits ? waitText(Waits) : verdict.label,
  }
}

/** Neither a call that ended without a callback nor a person's retry is a failure. */
export const attemptTone = ({ What }: Attempt): Tone => (What === 'unreached' || What === 'crashed' ? 'bad' : 'neutral')

const attemptTexts: Record<string, string> = {
  unreached: 'Was not reached',
  crashed: 'Failed',
  'ended without a callback': 'Its call ended without a callback',
  'handed again': 'Called again by a person',
}

export function attemptText({ What, Code, AccessKeyId }: Attempt): string {
  const facts = [Code, AccessKeyId && `key ${AccessKeyId}`].filter(Boolean)
  return (attemptTexts[What] ?? What) + (facts.length === 0 ? '' : ` (${facts.join(', ')})`)
}

const waitTexts = {
  processor: 'Waits for a place at its processor',
  retry: 'Waits for the next attempt',
  callback: 'Waits for the callback',
}

export const waitText = ({ For }: NonNullable<TimelineStep['Waits']>): string => waitTexts[For]

/** A verdict can arrive before the hand-over is written: then all of the time was work. */
function spansOf(opened: number, handedOff: number | undefined, done: number, isDecided: boolean): Span[] {
  const wait = (to: number): Span => ({ from: opened, to, tone: 'wait', label: 'Waits for its processor' })
  const work = (from: number): Span => ({ from, to: done, tone: 'work', label: 'At its processor' })
  if (handedOff === undefined) return [isDecided ? work(opened) : wait(done)]
  return handedOff > opened ? [wait(Math.min(handedOff, done)), work(Math.min(handedOff, done))] : [work(opened)]
}

export const stepTone = (state: TimelineStep['State']): Tone =>
  state === 'ALLOWED' ? 'good' : state === 'DISPATCHING' || state === 'AWAITING' ? 'wait' : 'bad'

const stateTexts: Record<TimelineStep['State'], string> = {
  DISPATCHING: 'Waits for its processor',
  AWAITING: 'Waits for the callback',
  ALLOWED: 'Allowed',
  DENIED: 'Denied',
  UNREACHABLE: 'Given up, its FallbackAction decided',
  EXPIRED: 'No callback before the deadline',
}

/** What a step has come to, in a few words. */
export function verdictOf({ State, DecidedBy, Reason, Changes }: TimelineStep): string {
  if (State === 'EXPIRED' && DecidedBy === 'ban') return 'Ended, because the sender was banned'
  if (State === 'EXPIRED' && DecidedBy === 'operator') return 'Ended by a person'
  if (State === 'EXPIRED' && DecidedBy === 'on-deadline') return 'Released at its deadline, as the flow says'
  const verdict = State === 'ALLOWED' && Changes.length > 0 ? 'Allowed with changes' : stateTexts[State]
  const by = DecidedBy === 'operator' ? ' by a person' : ''
  const reason = Reason ? `: ${[Reason.Code, Reason.Text].filter(Boolean).join(', ')}` : ''
  return verdict + by + reason
}

/** Open runs grow: their drawing must follow the time. */
export const isOpen = ({ Runs }: Timeline): boolean => Runs.some(({ EndedAt }) => EndedAt === undefined)

/** A denied message has no row, and so no status of its own: its run says what it has come to. */
export function statusOf({ Status, Runs }: Timeline): MessageStatus {
  const first = Runs[0]
  if (Status) return Status
  if (!first || first.EndedAt === undefined) return 'PENDING'
  return first.State === 'SENT' || first.State === 'DENIED' ? first.State : 'FAILED'
}
