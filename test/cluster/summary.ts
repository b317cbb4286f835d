import type { Fault } from './fault-plan.ts'
import type { History, Look, Outcome } from './history.ts'
import { outcomeOf, type Violation } from './history-index.ts'
import { type Kill, type TurnNote, takeOvers } from './take-over.ts'
import type { OldestPending } from './watch-metrics.ts'

/** All that a fault run found out. */
export interface FaultOutcome {
  nodes: number
  plan: Fault[]
  kills: Kill[]
  /** When the rolling restart began. */
  restartedAt: number | undefined
  history: History
  violations: Violation[]
  turns: TurnNote[]
  /** Answers and waits that no fault excuses. */
  refusals: string[]
  /** How often each act of the load besides sending was done, by its name. */
  acts: Map<string, number>
  oldestPending: OldestPending
}

/**
 * How soon another node gives a processor what a killed node had given to one. Its steps are free within 4 s (cluster/node.ts);
 * the rest is for those that wait at the same function, and for the start of its processes on a loaded machine.
 */
const takeOverMsMax = 15_000
/** All sessions are open before the load begins, within so long. */
const startMsMax = 5_000
/** A processor that never answers must be seen to have had a message for at least so long. */
const stuckSeconds = 5
const stuckProcessor = 'silent'

const ways: Look['way'][] = ['list', 'get', 'prefetch']

/** Connections from the start to the rolling restart, or to the end without one. */
function openThroughout({ history: { periods }, restartedAt = Number.POSITIVE_INFINITY }: FaultOutcome) {
  const last = (periods[0]?.establishedAt ?? 0) + startMsMax
  return periods.filter(({ closedAt = Number.POSITIVE_INFINITY, establishedAt }) => {
    return closedAt >= restartedAt && establishedAt < last
  })
}

/** Everything that makes the run a failure: what is wrong, and what it did not get to see. */
export function verdict(outcome: FaultOutcome): string[] {
  const { nodes, kills, history, violations, turns, refusals, acts, oldestPending } = outcome
  const takenOver = takeOvers(kills, turns, history.end.steps, history.troubles)
  const late = takenOver.filter(({ undisturbedMs }) => (undisturbedMs ?? Number.POSITIVE_INFINITY) > takeOverMsMax)
  const whole = openThroughout(outcome)
  const stuck = oldestPending.get(stuckProcessor) ?? 0
  const problem = (is: boolean, says: string) => (is ? [says] : [])
  return [
    ...violations.map(({ rule, says }) => `${rule}: ${says}`),
    ...refusals,
    ...(nodes > 1 ? late : []).map(
      ({ callbackId, kill, afterMs }) =>
        `what process ${kill.pid} had in hand when it was killed (${callbackId}) was taken over after ${afterMs} ms`,
    ),
    ...[...acts].filter(([, times]) => times === 0).map(([name]) => `there were no ${name}`),
    ...problem(kills.length === 0, 'nothing was killed'),
    ...problem(
      history.sends.every(({ messageIds }) => messageIds.length === 0),
      'nothing was acknowledged',
    ),
    ...ways
      .filter((way) => !history.looks.some((look) => look.way === way && look.messages.length > 0))
      .map((way) => `nobody saw a message by ${way}`),
    ...problem(kills.length > 0 && takenOver.length === 0, 'no killed node had anything in hand'),
    ...problem(nodes > 1 && whole.length === 0, 'no session stayed open from the start to the rolling restart'),
    ...problem(
      stuck < stuckSeconds,
      `/metrics never showed that ${stuckProcessor} has had a message for ${stuckSeconds} s, but at most ${stuck} s`,
    ),
  ]
}

export function summary(outcome: FaultOutcome): string {
  const { history, kills, restartedAt, plan, turns, violations, acts, oldestPending } = outcome
  const { sends, periods, looks, troubles, end } = history
  const acknowledged = sends.filter(({ messageIds }) => messageIds.length > 0)
  const twice = sends.filter(({ messageIds }) => messageIds.length > 1)
  const textless = periods
    .flatMap(({ seen }) => seen)
    .filter(({ text, eventType }) => text === undefined && outcomeOf(eventType))
  const heard = periods.reduce((sum, { seen }) => sum + seen.length, 0)
  const outcomes = Map.groupBy(end.log, ({ eventType }) => outcomeOf(eventType))
  const count = (outcome: Outcome) => `${outcome} ${outcomes.get(outcome)?.length ?? 0}`
  const ended = [count('SENT'), count('DENIED'), count('FAILED')]
  const times = takeOvers(kills, turns, end.steps, troubles).map(({ afterMs }) => afterMs ?? Number.POSITIVE_INFINITY)
  const killed = plan.flatMap((fault) => (fault.fault === 'kill' ? [fault.node + 1] : []))
  const others = plan.filter(({ fault }) => fault !== 'kill').map(({ fault }) => fault)
  const oldest = [...oldestPending].sort(([, a], [, b]) => b - a).map(([name, seconds]) => `${name} ${seconds} s`)
  return [
    `sends: ${sends.length}, of which ${acknowledged.length} acknowledged, ${twice.length} of them more than once`,
    `outcomes: ${ended.join(', ')}`,
    `faults: ${kills.length} kills (of nodes ${killed.join(', ')}), ${others.join(', ') || 'nothing else'}`,
    `acts: ${[...acts].map(([name, times]) => `${times} ${name}`).join(', ')}`,
    `sessions: ${periods.length} connections, ${openThroughout(outcome).length} open from the start to the ${restartedAt ? 'rolling restart' : 'end'}`,
    `seen: ${heard} events, ${textless.length} of them without their text; ${looks.length} looks`,
    `taken over from killed nodes: ${times.length} steps, after ${times.sort((a, b) => a - b).join(', ') || 'no'} ms`,
    `oldest pending, as /metrics had it: ${oldest.join(', ') || 'nothing'}`,
    `violations: ${violations.length}`,
  ].join('\n')
}

const linesPerRule = 5

/** Some failures of each rule, and of others that begin alike: one fault may show in thousands of places. */
export function excerpt(failures: string[]): string {
  const byRule = Map.groupBy(failures, (failure) => failure.split(' ', 2).join(' ').replace(/: .*/, ''))
  return [...byRule.values()]
    .flatMap((all) => {
      const more = all.length - linesPerRule
      return [...all.slice(0, linesPerRule), ...(more > 0 ? [`… and ${more} more like these`] : [])]
    })
    .map((line) => `FAILED: ${line.replaceAll(/arn:[^ ,"]*\/(user|channel)\//g, '$1/')}\n`)
    .join('')
}
