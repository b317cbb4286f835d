import type { Timeline, TimelineRun, TimelineStep } from './timeline.ts'
import type { Attempt } from './transition.ts'

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
  const title = run.revision === 1 ? 'Message' : `Update ${run.revision - 1}`
  const lines: Line[] = [
    { at: run.acceptedAt, text: `accepted, and held by ${run.channelFlowArn}` },
    ...run.steps.flatMap(stepLines),
    ...(run.endedAt === undefined ? [] : [{ at: run.endedAt, text: outcomeText(run) }]),
  ]
  const waits = run.steps.flatMap((step) => (step.waits ? [`  now           ${waitText(step, step.waits)}`] : []))
  const sorted = lines.map((line, index) => ({ ...line, index })).sort((a, b) => a.at - b.at || a.index - b.index)
  return [
    '',
    `${title}, ${new Date(run.acceptedAt).toISOString()}`,
    ...sorted.map(({ at, text }) => `  ${sinceText(at - run.acceptedAt).padEnd(12)}  ${text}`),
    ...waits,
  ]
}

function stepLines(step: TimelineStep): Line[] {
  const { processor, openedAt, handedOffAt, decidedAt, attempts, rejectedCallbacks, extensions } = step
  const rejected = rejectedCallbacks > 0 ? `, after ${rejectedCallbacks} rejected callbacks` : ''
  return [
    { at: openedAt, text: `${processor}: its turn` },
    ...(handedOffAt === undefined ? [] : [{ at: handedOffAt, text: `${processor}: has the message` }]),
    ...attempts.map((attempt) => ({ at: attempt.at, text: `${processor}: ${attemptText(attempt)}` })),
    ...extensions.map(({ at, until, keyId }) => ({
      at,
      text: `${processor}: deadline extended by an operator (key ${keyId}) until ${new Date(until).toISOString()}`,
    })),
    ...(decidedAt === undefined ? [] : [{ at: decidedAt, text: `${processor}: ${decisionText(step)}${rejected}` }]),
  ]
}

const attemptText = ({ what, code, keyId }: Attempt) => {
  if (what === 'handed again') return `an operator had it handed over again (key ${keyId ?? 'unknown'})`
  const described = { unreached: 'was not reached', crashed: 'failed', 'ended without a callback': what }[what]
  return code === undefined ? described : `${described} (${code})`
}

function decisionText({ state, decision, changes }: TimelineStep): string {
  const by = decision?.by === 'operator' ? ` by an operator (key ${decision.keyId ?? 'unknown'})` : ''
  const reason = decision?.reason ? `: ${decision.reason.code} ${decision.reason.text}`.trimEnd() : ''
  switch (state) {
    case 'ALLOWED':
      return `allowed${by}${changesText(changes)}`
    case 'DENIED':
      return `denied${by}${reason}`
    case 'UNREACHABLE':
      return 'given up: it was not reached, and its FallbackAction decided'
    case 'EXPIRED':
      if (decision?.by === 'on-deadline')
        return 'approved without a verdict: its time ended, and on-deadline is continue'
      if (decision?.by === 'ban') return 'ended, because the sender was banned'
      return decision?.by === 'operator' ? `ended${by}` : 'ended without a verdict'
    default:
      return state
  }
}

function changesText(changes: TimelineStep['changes']): string {
  const members = Object.entries(changes).map(([member, [before, after]]) => `${member} ${before} → ${after}`)
  return members.length === 0 ? ', unchanged' : `, changed ${members.join(', ')} (lengths of its JSON)`
}

const outcomeText = ({ state, detail }: TimelineRun) => (detail === undefined ? state : `${state}: ${detail}`)

function waitText({ processor }: TimelineStep, waits: NonNullable<TimelineStep['waits']>): string {
  const deadline = new Date(waits.deadlineAt).toISOString()
  const until = new Date(waits.until).toISOString()
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
