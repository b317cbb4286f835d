import { functionNameOf } from '../contract/arn.ts'
import type { Audience } from '../store/channel-event.ts'
import { type Extension, extensionsOf } from '../store/extensions.ts'
import { firstSeqSince } from '../store/message-times.ts'
import { free } from '../store/steps.ts'
import type { Reader } from '../store/store.ts'
import type { RunRow, StepRow } from '../store/tables.ts'
import { processorsOf } from './decision.ts'
import { type Attempt, type Decision, isOpen } from './transition.ts'

/** What happened to a message in its channel's flows. Never a text of the message, and no CallbackId. */
export interface Timeline {
  messageId: string
  channelArn: string
  appInstanceArn: string
  /** The status that members see; undefined if the message has no row: it was denied, deleted or NON_PERSISTENT. */
  status: string | undefined
  senderArn: string | undefined
  /** One for the message, and one for each update of it that a flow held: the oldest first. */
  runs: TimelineRun[]
}

export interface TimelineRun {
  revision: number
  channelFlowArn: string
  state: RunRow['state']
  /** The reason of the denial or the failure, as in `Status.Detail`. */
  detail: string | undefined
  acceptedAt: number
  /** When its outcome was committed, and published. */
  endedAt: number | undefined
  steps: TimelineStep[]
}

type WaitsFor = 'processor' | 'retry' | 'callback'

export interface TimelineStep {
  processor: string
  functionName: string
  state: StepRow['state']
  openedAt: number
  /** When the processor had the message; undefined if it never had it, or decided before that was written. */
  handedOffAt: number | undefined
  decidedAt: number | undefined
  attempts: Attempt[]
  decision: Decision | undefined
  /** The changed members, with their lengths before and after. */
  changes: Record<string, [before: number, after: number]>
  rejectedCallbacks: number
  /** By whom its deadline was extended, and until when. */
  extensions: Extension[]
  /** What an open step waits for, and until when. */
  waits: { for: WaitsFor; until: number; deadlineAt: number } | undefined
}

/** So many updates of a message are shown, the latest ones. */
const runsMax = 50
/** The event of a message is looked for among so many events of its channel, which begin so long before its acceptance. */
const eventsMax = 10_000
const skewMsMax = 1_000

/**
 * The first event of a held message was for its sender alone. It stays in the channel log as long as the timeline, after the
 * message's own row. The clocks of two nodes may differ by a second.
 */
const senderText = `WITH log (first) AS (SELECT ${firstSeqSince('$1', 'CAST($2 AS BIGINT)', 'channel_log')})
  SELECT audience_json FROM channel_log, log
  WHERE channel_id = $1 AND seq >= log.first AND seq < log.first + ${eventsMax} AND subject = $3 ORDER BY seq LIMIT 1`

async function readSender(read: Reader, { channel_id, message_id, created_at }: RunRow): Promise<string | undefined> {
  const row = await read.get<{ audience_json: string }>(senderText, channel_id, created_at - skewMsMax, message_id)
  const audience = row && (JSON.parse(row.audience_json) as Audience)
  return audience?.to === 'users' && audience.users.length === 1 ? audience.users[0] : undefined
}

/** Undefined if no flow of the channel ever had the message, or its steps have been deleted since. */
export async function readTimeline(read: Reader, channelId: number, messageId: string): Promise<Timeline | undefined> {
  const runs = await read.all<RunRow>(
    `SELECT * FROM run_view WHERE channel_id = $1 AND message_id = $2 ORDER BY revision DESC LIMIT ${runsMax}`,
    channelId,
    messageId,
  )
  const [latest] = runs
  if (!latest) return undefined
  const message = await read.get<{ status: string; sender_arn: string }>(
    'SELECT status, sender_arn FROM message_view WHERE channel_id = $1 AND message_id = $2',
    channelId,
    messageId,
  )
  const channel = await read.get<{ app_instance_arn: string }>(
    'SELECT app_instance_arn FROM channel_view WHERE channel_id = $1',
    channelId,
  )
  const shown: TimelineRun[] = []
  for (const run of runs.reverse()) shown.push(timelineRun(run, await readSteps(read, run)))
  return {
    messageId,
    channelArn: latest.channel_arn,
    appInstanceArn: channel?.app_instance_arn ?? '',
    status: message?.status,
    senderArn: message?.sender_arn ?? (await readSender(read, runs[0] ?? latest)),
    runs: shown,
  }
}

type TimelineRow = StepRow & { extensions_json: string | null }

/** A run has at most three steps, each of which names the one before it. */
async function readSteps(read: Reader, run: RunRow): Promise<TimelineRow[]> {
  const steps: TimelineRow[] = []
  for (let id: string | null = run.callback_id; id !== null; ) {
    const step: TimelineRow | undefined = await read.get<TimelineRow>(
      'SELECT * FROM step_view WHERE channel_id = $1 AND callback_id = $2',
      run.channel_id,
      id,
    )
    if (!step) break
    steps.unshift(step)
    id = step.previous_callback_id
  }
  return steps
}

function timelineRun(run: RunRow, steps: TimelineRow[]): TimelineRun {
  const names = processorsOf(run).map(({ name }) => name)
  return {
    revision: run.revision,
    channelFlowArn: run.channel_flow_arn,
    state: run.state,
    detail: run.detail ?? undefined,
    acceptedAt: run.created_at,
    endedAt: run.ended_at ?? undefined,
    steps: steps.map((step) => timelineStep(step, names[step.position])),
  }
}

function timelineStep(step: TimelineRow, name: string | undefined): TimelineStep {
  const functionName = functionNameOf(step.function_arn)
  return {
    processor: name || functionName,
    functionName,
    state: step.state,
    openedAt: step.created_at,
    handedOffAt: step.handed_off_at ?? undefined,
    decidedAt: step.decided_at ?? undefined,
    attempts: step.attempts_json === null ? [] : JSON.parse(step.attempts_json),
    decision: step.decision_json === null ? undefined : JSON.parse(step.decision_json),
    changes: step.changes_json === null ? {} : JSON.parse(step.changes_json),
    rejectedCallbacks: step.rejected_callbacks,
    extensions: extensionsOf(step),
    waits: waitOf(step),
  }
}

function waitOf(step: StepRow): TimelineStep['waits'] {
  if (!isOpen(step)) return undefined
  const { deadline_at: deadlineAt, due_at: dueAt } = step
  const what = awaitedBy(step)
  return { for: what, until: what === 'retry' ? dueAt : deadlineAt, deadlineAt }
}

/** What an open step waits for. */
export function awaitedBy({
  state,
  owner,
  due_at,
  deadline_at,
}: Pick<StepRow, 'state' | 'owner' | 'due_at' | 'deadline_at'>): WaitsFor {
  if (state === 'AWAITING') return 'callback'
  return owner === free && due_at < deadline_at ? 'retry' : 'processor'
}
