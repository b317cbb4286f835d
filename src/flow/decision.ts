import assert from 'node:assert/strict'
import { functionNameOf } from '../contract/arn.ts'
import type { Processor as WireProcessor } from '../contract/structures/channel-flows.ts'
import type { DecideStep, RecordHandOff, RunResult } from '../store/changes.ts'
import { audienceOf, changeTime, eventTypeOf, senderOnly, textOf } from '../store/message-row.ts'
import { shardOf } from '../store/shards.ts'
import { free } from '../store/steps.ts'
import type { Job, MessageRow, MessageText, RunRow, StepRow } from '../store/tables.ts'
import {
  type Attempt,
  type Decision,
  type Effect,
  type FlowEvent,
  openStep,
  type Processor,
  type ProcessorPolicy,
  type Progress,
  type Run,
  type Step,
  transition,
  type World,
} from './transition.ts'

/** The node that owns new steps. */
export interface OwnNode {
  /** It may change while the process runs. */
  readonly id: string
}

/** A processor in the row of a flow: as the API has it, with its policy if one is set. */
export interface FlowProcessor extends WireProcessor {
  Policy?: ProcessorPolicy
}

/** A snapshot of a channel's flow. A run uses its snapshot, even if the flow changes. */
export interface FlowSnapshot {
  channelFlowArn: string
  processors: readonly FlowProcessor[]
  /** How long each processor whose policy has no limit has for its verdict. */
  deadlineMs: number
}

/**
 * The rows of a new run: its snapshot of the flow, and the first processor's step, owned by this node. `requested` is the
 * requested text of an update; undefined for a new message.
 */
export function startRun(
  message: Pick<MessageRow, 'channel_id' | 'channel_arn' | 'message_id' | 'revision'>,
  requested: MessageText | undefined,
  flow: FlowSnapshot,
  node: OwnNode,
  world: World,
): { run: RunRow; step: StepRow } {
  const { channel_id, channel_arn, message_id, revision } = message
  const processors = flow.processors.toSorted((a, b) => a.ExecutionOrder - b.ExecutionOrder)
  const first = openStep({ deadlineMs: processors[0]?.Policy?.deadlineMs ?? flow.deadlineMs }, 0, world)
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
    detail: null,
    created_at: world.now,
    ended_at: null,
  }
  return { run, step: newStepRow(run, first, undefined, processors.map(processorOf)[0], node, world.now) }
}

/** A processor in a run's row: the run's report names the processors that changed the message. */
interface RunProcessor extends FlowProcessor {
  HasChanged?: true
}

/** The processors of a run, in execution order. */
export const processorsOf = (run: Pick<RunRow, 'processors_json'>): Processor[] =>
  (JSON.parse(run.processors_json) as RunProcessor[]).map(processorOf)

const processorOf = ({
  Name,
  Configuration,
  FallbackAction,
  Policy,
  HasChanged,
}: Partial<RunProcessor>): Processor => ({
  name: Name ?? '',
  functionArn: Configuration?.Lambda.ResourceArn ?? '',
  fallbackAction: FallbackAction ?? 'ABORT',
  policy: Policy,
  hasChanged: HasChanged === true,
})

/** An ended run keeps the names of its processors, for the timeline. */
const namesOf = (processors: readonly Processor[]): string =>
  JSON.stringify(processors.map(({ name: Name }) => ({ Name })))

/** The row's JSON after the processor has changed the message. */
function withChange(processorsJson: string, position: number): string {
  const processors = JSON.parse(processorsJson) as RunProcessor[]
  return JSON.stringify(processors.map((one, index) => (index === position ? { ...one, HasChanged: true } : one)))
}

/** The members that processors have changed so far. */
const changedText = (run: Pick<RunRow, 'text_json'>): Partial<MessageText> =>
  run.text_json === null ? {} : (JSON.parse(run.text_json) as Partial<MessageText>)

/** The text that the sender sent. A new message has it in its own row, an update in the row of its run. */
export function requestedText({ run, message }: Pick<Job, 'run' | 'message'>): MessageText {
  return run.requested_json === null ? textOf(message) : (JSON.parse(run.requested_json) as MessageText)
}

/** The text that the next processor receives; after the last processor, the text that is delivered. */
export const workingText = (job: Pick<Job, 'run' | 'message'>): MessageText => ({
  ...requestedText(job),
  ...changedText(job.run),
})

/** The argument of `transition`: the run with one of its steps. */
export function runOf({ run, step }: Pick<Job, 'run' | 'step'>): Run {
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
      isOwned: step.owner !== free,
      dueAt: step.due_at,
      deadlineAt: step.deadline_at,
      handedOffAt: step.handed_off_at ?? undefined,
      decidedAt: step.decided_at ?? undefined,
      failure: step.failure ?? undefined,
      failedAttempts: step.attempts_json === null ? [] : (JSON.parse(step.attempts_json) as Attempt[]),
      decision: step.decision_json === null ? undefined : (JSON.parse(step.decision_json) as Decision),
    },
  }
}

/**
 * The durable write for a transition's effects, guarded by the owner that `job` has; undefined if the only effect is
 * InvokeProcessor.
 */
export function changeOf(
  job: Job,
  { run, effects }: Progress,
  node: OwnNode,
  now: number,
): DecideStep | RecordHandOff | undefined {
  const recorded = stepOf(effects, 'RecordStep')
  if (recorded) {
    return { kind: 'RecordHandOff', step: stepRow(job.step, recorded, node), expectedOwner: job.step.owner }
  }
  const decided = stepOf(effects, 'DecideStep')
  if (!decided) return undefined
  const next = stepOf(effects, 'OpenStep')
  const endMessage = effects.find((effect) => effect.effect === 'EndMessage')
  const requested = requestedText(job)
  const after = { ...requested, ...run.text }
  const changes_json = differences({ ...requested, ...changedText(job.run) }, after)
  const { position } = job.step
  const hasChanged = (processor: Processor, index: number) =>
    processor.hasChanged || (index === position && changes_json !== null)
  const runRow = runRowOf(job, run, changes_json !== null, endMessage && { now, detail: endMessage.detail })
  return {
    kind: 'DecideStep',
    expectedOwner: job.step.owner,
    step: { ...stepRow(job.step, decided, node), changes_json },
    run: runRow,
    processorName: run.processors[position]?.name,
    changedBy: run.processors.filter(hasChanged).map(({ name }) => name),
    next: next && newStepRow(runRow, next, job.step.callback_id, run.processors[next.position], node, now),
    runResult: endMessage && runResultOf(job, requested, after, endMessage, now),
    message: job.message,
    changedBefore: Object.keys(changedText(job.run)).length > 0,
  }
}

/**
 * The write with which this event ends the step, whichever node owns it; undefined if the event is rejected. The event is
 * a verdict, or stops the message.
 */
export function endingOf(job: Job, event: FlowEvent, node: OwnNode, world: World): DecideStep | undefined {
  const result = transition(runOf(job), event, world)
  if ('rejection' in result) return undefined
  const change = changeOf(job, result, node, world.now)
  assert(change?.kind === 'DecideStep', 'the event ends the step')
  return { ...change, expectedOwner: undefined }
}

/**
 * The write that makes this node the owner of the step, whichever node owns it, so that its processor is invoked again;
 * undefined if the step has ended.
 */
export function againOf(job: Job, keyId: string, node: OwnNode, world: World): RecordHandOff | undefined {
  const result = transition(runOf(job), { type: 'Again', keyId }, world)
  if ('rejection' in result) return undefined
  const change = changeOf(job, result, node, world.now)
  assert(change?.kind === 'RecordHandOff', 'the step stays open')
  return change
}

/** An ended run only keeps its outcome, and the names of its processors: its steps stay as the timeline. */
function runRowOf(
  job: Job,
  { state, text, processors, step: latest }: Run,
  hasChanged: boolean,
  end: { now: number; detail: string | undefined } | undefined,
): RunRow {
  const { run, step } = job
  if (end) {
    const over = { requested_json: null, text_json: null, detail: end.detail ?? null, ended_at: end.now }
    return { ...run, state, processors_json: namesOf(processors), ...over }
  }
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
    owner: step.isOwned ? node.id : free,
    due_at: step.dueAt,
    deadline_at: step.deadlineAt,
    handed_off_at: step.handedOffAt ?? null,
    decided_at: step.decidedAt ?? null,
    failure: step.failure ?? null,
    attempts_json: step.failedAttempts.length === 0 ? null : JSON.stringify(step.failedAttempts),
    decision_json: step.decision ? JSON.stringify(step.decision) : null,
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
  const empty = {
    changes_json: null,
    verdict_key: null,
    attempts_json: null,
    decision_json: null,
    rejected_callbacks: 0,
  }
  const fresh = { ...identity, function_arn: functionArn, created_at: now, shard: shardOf(channel_id), ...empty }
  return stepRow(fresh as StepRow, step, node)
}

/** The members that a processor changed, with their lengths before and after. The timeline contains no text. */
function differences(before: MessageText, after: MessageText): string | null {
  const members = Object.keys(before) as (keyof MessageText)[]
  const changed = members.filter((member) => before[member] !== after[member])
  if (changed.length === 0) return null
  const lengths = changed.map((member) => [member, [before[member]?.length ?? 0, after[member]?.length ?? 0]])
  return JSON.stringify(Object.fromEntries(lengths))
}

/** A released message has the processors' changes; the event of a denied or failed one shows the text that its sender sent. */
function runResultOf(
  job: Job,
  requested: MessageText,
  after: MessageText,
  endMessage: Extract<Effect, { effect: 'EndMessage' }>,
  now: number,
): RunResult {
  const { status, detail } = endMessage
  const updated_at = changeTime(job.message, now)
  const decided = { status, status_detail: detail ?? null, updated_at, update_status: null, update_detail: null }
  const isUpdate = job.run.requested_json !== null
  const edited = isUpdate ? { edited_at: job.run.created_at } : {}
  const text = status === 'SENT' ? after : requested
  const shown: MessageRow = { ...job.message, ...edited, ...text, ...decided }
  const audience = status === 'SENT' ? audienceOf(shown) : senderOnly(shown)
  const message = isUpdate && status !== 'SENT' ? keepSent(job.message, endMessage) : shown
  const stored = message.persistence === 'PERSISTENT' && message.status !== 'DENIED'
  return { message: stored ? message : undefined, shown, event: { eventType: eventTypeOf(job.run, status), audience } }
}

/** An update that is not released does not change the message. Until the next update, the row says that this one failed. */
function keepSent(message: MessageRow, { status, detail }: Extract<Effect, { effect: 'EndMessage' }>): MessageRow {
  const failed = status === 'FAILED'
  return { ...message, update_status: failed ? 'FAILED' : null, update_detail: failed ? (detail ?? null) : null }
}

/** The name of the step's function in the processor target. */
export const functionNameOfStep = (step: Pick<StepRow, 'function_arn'>): string => functionNameOf(step.function_arn)
