import { functionNameOf } from '../contract/arn.ts'
import type { Processor as WireProcessor } from '../contract/structures/channel-flows.ts'
import type { DecideStep, Ending, RecordHandOff } from '../store/changes.ts'
import { audienceOf, changeTime, eventTypeOf, senderOnly, textOf } from '../store/message-row.ts'
import { shardOf } from '../store/shards.ts'
import { free } from '../store/steps.ts'
import type { MessageRow, MessageText, RunRow, StepRow, Turn } from '../store/tables.ts'
import { type Effect, openStep, type Processor, type Progress, type Run, type Step, type World } from './transition.ts'

/** The node that owns new steps. */
export interface OwnNode {
  /** It may change while the process runs. */
  readonly id: string
}

/** A channel's flow as it was at one moment. A run keeps to it, whatever becomes of the flow meanwhile. */
export interface FlowSnapshot {
  channelFlowArn: string
  processors: readonly WireProcessor[]
  /** How long each processor has for its verdict. */
  deadlineMs: number
}

/**
 * The rows of a new run: the flow that it keeps to, and the first processor's step, owned by this node. `requested` is
 * what the sender wants an update to say; undefined for a new message.
 */
export function startRun(
  message: Pick<MessageRow, 'channel_id' | 'channel_arn' | 'message_id' | 'revision'>,
  requested: MessageText | undefined,
  flow: FlowSnapshot,
  node: OwnNode,
  world: World,
): { run: RunRow; step: StepRow } {
  const { channel_id, channel_arn, message_id, revision } = message
  const first = openStep(flow, 0, world)
  const processors = flow.processors.toSorted((a, b) => a.ExecutionOrder - b.ExecutionOrder)
  const run: RunRow = {
    channel_id,
    channel_arn,
    message_id,
    revision,
    state: 'RUNNING',
    channel_flow_arn: flow.channelFlowArn,
    processors_json: JSON.stringify(processors),
    deadline_ms: flow.deadlineMs,
    requested_json: requested ? JSON.stringify(requested) : null,
    text_json: null,
    callback_id: first.callbackId,
    created_at: world.now,
    ended_at: null,
  }
  return { run, step: newStepRow(run, first, undefined, processors.map(processorOf)[0], node, world.now) }
}

/** As a run's row has it: the run's report names the processors that changed the message. */
interface RunProcessor extends WireProcessor {
  HasChanged?: true
}

/** The processors of a run, in the order of their turns. */
export const processorsOf = (run: Pick<RunRow, 'processors_json'>): Processor[] =>
  (JSON.parse(run.processors_json) as RunProcessor[]).map(processorOf)

const processorOf = ({ Name, Configuration, FallbackAction, HasChanged }: RunProcessor): Processor => ({
  name: Name,
  functionArn: Configuration.Lambda.ResourceArn,
  fallbackAction: FallbackAction,
  hasChanged: HasChanged === true,
})

/** The row's JSON when the processor has changed the message. */
function withChange(processorsJson: string, position: number): string {
  const processors = JSON.parse(processorsJson) as RunProcessor[]
  return JSON.stringify(processors.map((one, index) => (index === position ? { ...one, HasChanged: true } : one)))
}

/** The members that processors have changed so far. */
const changedText = (run: Pick<RunRow, 'text_json'>): Partial<MessageText> =>
  run.text_json === null ? {} : (JSON.parse(run.text_json) as Partial<MessageText>)

/** What the sender sent: a new message's row has it, and an update's run. */
export function requestedText({ run, message }: Pick<Turn, 'run' | 'message'>): MessageText {
  return run.requested_json === null ? textOf(message) : (JSON.parse(run.requested_json) as MessageText)
}

/** The message as the next processor sees it, and as it is delivered when no processor is left. */
export const workingText = (turn: Pick<Turn, 'run' | 'message'>): MessageText => ({
  ...requestedText(turn),
  ...changedText(turn.run),
})

/** The run as `transition` takes it, at one of its steps. */
export function runOf({ run, step }: Pick<Turn, 'run' | 'step'>): Run {
  return {
    processors: processorsOf(run),
    deadlineMs: run.deadline_ms,
    state: run.state,
    text: changedText(run),
    step: {
      callbackId: step.callback_id,
      position: step.position,
      state: step.state,
      tries: step.tries,
      attempts: step.attempts,
      held: step.owner !== free,
      dueAt: step.due_at,
      deadlineAt: step.deadline_at,
      handedOffAt: step.handed_off_at ?? undefined,
      decidedAt: step.decided_at ?? undefined,
      failure: step.failure ?? undefined,
    },
  }
}

/**
 * The durable write that carries out a transition's effects, while the step is in the hand that the turn says; undefined
 * where all there is to do is to invoke.
 */
export function changeOf(
  turn: Turn,
  { run, effects }: Progress,
  node: OwnNode,
  now: number,
): DecideStep | RecordHandOff | undefined {
  const recorded = stepOf(effects, 'RecordStep')
  if (recorded) {
    return { kind: 'RecordHandOff', step: stepRow(turn.step, recorded, node), heldBy: turn.step.owner }
  }
  const decided = stepOf(effects, 'DecideStep')
  if (!decided) return undefined
  const next = stepOf(effects, 'OpenStep')
  const ending = effects.find((effect) => effect.effect === 'EndMessage')
  const requested = requestedText(turn)
  const after = { ...requested, ...run.text }
  const changes_json = differences({ ...requested, ...changedText(turn.run) }, after)
  const { position } = turn.step
  const hasChanged = (processor: Processor, index: number) =>
    processor.hasChanged || (index === position && changes_json !== null)
  const runRow = runRowOf(turn, run, changes_json !== null, ending && now)
  return {
    kind: 'DecideStep',
    heldBy: turn.step.owner,
    step: { ...stepRow(turn.step, decided, node), changes_json },
    run: runRow,
    processorName: run.processors[position]?.name,
    changedBy: run.processors.filter(hasChanged).map(({ name }) => name),
    next: next && newStepRow(runRow, next, turn.step.callback_id, run.processors[next.position], node, now),
    ending: ending && endingOf(turn, requested, after, ending, now),
    message: turn.message,
    changedBefore: Object.keys(changedText(turn.run)).length > 0,
  }
}

/** A run that is over keeps nothing but its outcome: its steps stay as the timeline, and name their functions. */
function runRowOf(
  turn: Turn,
  { state, text, step: latest }: Run,
  hasChanged: boolean,
  endedAt: number | undefined,
): RunRow {
  const { run, step } = turn
  const over = { processors_json: '[]', requested_json: null, text_json: null, ended_at: endedAt ?? null }
  if (state !== 'RUNNING') return { ...run, state, ...over }
  const processors_json = hasChanged ? withChange(run.processors_json, step.position) : run.processors_json
  return {
    ...run,
    state,
    processors_json,
    text_json: JSON.stringify(text),
    callback_id: latest.callbackId,
    ended_at: null,
  }
}

const stepOf = (effects: Effect[], kind: 'RecordStep' | 'DecideStep' | 'OpenStep'): Step | undefined =>
  effects.find((effect): effect is Extract<Effect, { step: Step }> => effect.effect === kind)?.step

function stepRow(row: StepRow, step: Step, node: OwnNode): StepRow {
  return {
    ...row,
    state: step.state,
    tries: step.tries,
    attempts: step.attempts,
    owner: step.held ? node.id : free,
    due_at: step.dueAt,
    deadline_at: step.deadlineAt,
    handed_off_at: step.handedOffAt ?? null,
    decided_at: step.decidedAt ?? null,
    failure: step.failure ?? null,
  }
}

function newStepRow(
  { channel_id, channel_arn, message_id, revision }: RunRow,
  step: Step,
  previous: string | undefined,
  processor: Processor | undefined,
  node: OwnNode,
  now: number,
): StepRow {
  const key = { channel_id, channel_arn, callback_id: step.callbackId, previous_callback_id: previous ?? null }
  const identity = { ...key, message_id, revision, position: step.position }
  const functionArn = processor?.functionArn ?? ''
  const empty = { changes_json: null, verdict_key: null }
  const fresh = { ...identity, function_arn: functionArn, created_at: now, shard: shardOf(channel_id), ...empty }
  return stepRow(fresh as StepRow, step, node)
}

/** Which members a processor changed, and their lengths before and after: for the timeline, which holds no text. */
function differences(before: MessageText, after: MessageText): string | null {
  const members = Object.keys(before) as (keyof MessageText)[]
  const changed = members.filter((member) => before[member] !== after[member])
  if (changed.length === 0) return null
  const lengths = changed.map((member) => [member, [before[member]?.length ?? 0, after[member]?.length ?? 0]])
  return JSON.stringify(Object.fromEntries(lengths))
}

/** Only what was released carries the processors' changes; a denied or failed text is shown as its sender sent it. */
function endingOf(
  turn: Turn,
  requested: MessageText,
  after: MessageText,
  ending: Extract<Effect, { effect: 'EndMessage' }>,
  now: number,
): Ending {
  const { status, detail } = ending
  const updated_at = changeTime(turn.message, now)
  const decided = { status, status_detail: detail ?? null, updated_at, update_status: null, update_detail: null }
  const isUpdate = turn.run.requested_json !== null
  const edited = isUpdate ? { edited_at: turn.run.created_at } : {}
  const text = status === 'SENT' ? after : requested
  const shown: MessageRow = { ...turn.message, ...edited, ...text, ...decided }
  const audience = status === 'SENT' ? audienceOf(shown) : senderOnly(shown)
  const message = isUpdate && status !== 'SENT' ? keepSent(turn.message, ending) : shown
  const stored = message.persistence === 'PERSISTENT' && message.status !== 'DENIED'
  return { message: stored ? message : undefined, shown, event: { eventType: eventTypeOf(turn.run, status), audience } }
}

/** An update that does not go out leaves the message as it was. Its row says until the next update that this one failed. */
function keepSent(message: MessageRow, { status, detail }: Extract<Effect, { effect: 'EndMessage' }>): MessageRow {
  const failed = status === 'FAILED'
  return { ...message, update_status: failed ? 'FAILED' : null, update_detail: failed ? (detail ?? null) : null }
}

/** The name by which the step's processor is found. */
export const functionNameOfStep = (step: Pick<StepRow, 'function_arn'>): string => functionNameOf(step.function_arn)
