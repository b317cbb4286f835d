import type { Timeline, TimelineRun, TimelineStep } from './timeline.ts'
import type { Attempt, Decision } from './transition.ts'

/** The timeline for a person: a line for each thing that happened, with its time, and how long it took. */
export function timelineText(timeline: Timeline): string {
  const { messageId, channelArn, senderArn, status, runs } = timeline
  return [
    `Message ${messageId}`,
    `  channel  ${channelArn}`,
    ...(senderArn ? [`  sender   ${senderArn}`] : []),
    `  status   ${status ?? 'no longer stored'}`,
    ...runs.flatMap(runLines),
  ].join('\n')
}

interface Line {
  at: number
  text: string
}

function runLines(run: TimelineRun): string[] {
  const title = run.revision === 1 ? 'The message' : `Update ${run.revision - 1}`
  const lines: Line[] = [
    { at: run.acceptedAt, text: 'accepted, and held by the flow' },
    ...run.steps.flatMap(stepLines),
    ...(run.endedAt === undefined ? [] : [{ at: run.endedAt, text: outcomeText(run) }]),
  ]
  const waits = run.steps.flatMap((step) => (step.waits ? [`  now           ${waitText(step, step.waits)}`] : []))
  const sorted = lines.map((line, index) => ({ ...line, index })).sort((a, b) => a.at - b.at || a.index - b.index)
  return [
    '',
    `${title}, ${timeText(run.acceptedAt)}`,
    `  flow          ${run.channelFlowArn}`,
    ...sorted.map(({ at, text }) => `  ${sinceText(at - run.acceptedAt).padEnd(12)}  ${text}`),
    ...waits,
  ]
}

function stepLines(step: TimelineStep): Line[] {
  const { processor, openedAt, handedOffAt, decidedAt, attempts, extensions } = step
  // Most processors decide before the hand-off is written.
  const isGiven = handedOffAt === openedAt
  return [
    { at: openedAt, text: `${processor} ${isGiven ? 'has the message' : 'is next'}` },
    ...(handedOffAt === undefined || isGiven ? [] : [{ at: handedOffAt, text: `${processor} has the message` }]),
    ...attempts.map((attempt) => ({ at: attempt.at, text: attemptText(processor, attempt) })),
    ...extensions.map(({ at, until, keyId }) => ({
      at,
      text: `${operatorText(keyId)} gave ${processor} time until ${timeText(until)}`,
    })),
    ...(decidedAt === undefined ? [] : [{ at: decidedAt, text: `${decisionText(step)}${rejectedText(step)}` }]),
  ]
}

const operatorText = (keyId: string | undefined) => `an operator (key ${keyId ?? 'unknown'})`

const timeText = (ms: number) => new Date(ms).toISOString()

function attemptText(processor: string, { what, code, keyId }: Attempt): string {
  if (what === 'handed again' && keyId !== undefined)
    return `${operatorText(keyId)} had it handed to ${processor} again`
  const texts = {
    unreached: 'could not be reached',
    crashed: 'failed',
    'ended without a callback': 'ended without a callback',
    'handed again': 'has it again: its node was restarted, or another one took over',
  }
  return `${processor} ${texts[what]}${code === undefined ? '' : ` (${code})`}`
}

function decisionText({ processor, state, decision, changes }: TimelineStep): string {
  const isOperator = decision?.by === 'operator'
  const who = isOperator ? `${operatorText(decision.keyId)}, in place of ${processor},` : processor
  switch (state) {
    case 'ALLOWED':
      return `${who} allowed it${changesText(changes)}`
    case 'DENIED':
      return `${who} denied it${reasonText(decision)}`
    case 'UNREACHABLE':
      return `${processor} could not be called, and its FallbackAction decided`
    case 'EXPIRED':
      if (isOperator) return `${operatorText(decision.keyId)} ended it: no verdict of ${processor} counts any more`
      if (decision?.by === 'ban') return `the sender was banned: no verdict of ${processor} counts any more`
      if (decision?.by === 'on-deadline')
        return `the time of ${processor} was over: its on-deadline, continue, let the message pass`
      return `the time of ${processor} was over, without a verdict`
    default:
      return `${processor} ${state}`
  }
}

function reasonText(decision: Decision | undefined): string {
  const { code, text } = decision?.reason ?? { code: '', text: '' }
  if (code === '') return ''
  return text === '' ? `, reason ${code}` : `, reason ${code}: ${text}`
}

function changesText(changes: TimelineStep['changes']): string {
  const members = Object.entries(changes).map(([member, [before, after]]) => `${member} ${before} → ${after}`)
  return members.length === 0 ? ', unchanged' : `, changed: ${members.join(', ')} characters of JSON`
}

function rejectedText({ rejectedCallbacks: count }: TimelineStep): string {
  if (count === 0) return ''
  return count === 1 ? '; another callback was rejected' : `; ${count} other callbacks were rejected`
}

function outcomeText({ state, detail }: TimelineRun): string {
  if (state === 'SENT') return 'SENT to the members'
  // The reason of a denial is in the line of the decision.
  const why = state === 'FAILED' && detail !== undefined ? ` (${detail})` : ''
  return `${state}${why}; only its sender was notified`
}

function waitText({ processor }: TimelineStep, waits: NonNullable<TimelineStep['waits']>): string {
  const deadline = timeText(waits.deadlineAt)
  const until = timeText(waits.until)
  if (waits.for === 'callback') return `waits for the callback of ${processor}, until ${deadline}`
  if (waits.for === 'retry') return `${processor} is tried again at ${until}; its time ends at ${deadline}`
  return `waits for a place at ${processor}, until ${deadline}`
}

/** `+0 ms`, `+1.25 s`, `+2 min 5 s`. */
function sinceText(ms: number): string {
  if (ms < 1_000) return `+${ms} ms`
  if (ms < 60_000) return `+${(ms / 1000).toFixed(2)} s`
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 120) return `+${minutes} min ${Math.floor((ms % 60_000) / 1000)} s`
  return `+${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
