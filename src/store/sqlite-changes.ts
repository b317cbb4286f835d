import type {
  AcceptMessage,
  AcceptOutcome,
  AcceptUpdate,
  AcceptUpdateOutcome,
  Change,
  DecideOutcome,
  DecideStep,
  RecordHandOff,
  RecordOutcome,
  RunResult,
  TakeSteps,
} from './changes.ts'
import type { ChannelEvent } from './channel-event.ts'
import {
  messageColumns,
  messageKey,
  messageState,
  runColumns,
  runKey,
  runState,
  stepColumns,
  stepKey,
  stepState,
  tokenColumns,
} from './columns.ts'
import {
  advanceHeadForNewMessageText,
  advanceHeadForReleasedMessageText,
  advanceHeadText,
  becomesLast,
  endStepText,
  insertOnceText,
  insertText,
  logRow,
  messageEvent,
  noHead,
  updateText,
} from './statements.ts'
import { dueAtOfTaken, isNotExtended, stepAssignments, stepIsOpen, takenSteps } from './steps.ts'
import type { Columns, Committed, Value } from './store.ts'
import type { Job, MessageRow, RunRow, StepRow } from './tables.ts'

/** Prepared statements of the writer connection, inside its open transaction. */
export interface Writer {
  get<Row>(sql: string, ...values: Value[]): Row | undefined
  all<Row>(sql: string, ...values: Value[]): Row[]
  run(sql: string, ...values: Value[]): number
}

/** Executes one hot write, and adds what is announced after the commit to `committed`. */
export function carryOut(writer: Writer, change: Change, committed: Committed): unknown {
  switch (change.kind) {
    case 'AcceptMessage':
      return acceptMessage(writer, change, committed)
    case 'AcceptUpdate':
      return acceptUpdate(writer, change, committed)
    case 'DecideStep':
      return decideStep(writer, change, committed)
    case 'RecordHandOff':
      return recordHandOff(writer, change)
    case 'TakeSteps':
      return takeSteps(writer, change)
  }
}

/** 1 if the flow that holds the messages of channel $1 is $3, or if $4 is 0: then the flow does not matter. */
const flowIsSame = `($4 = 0 OR EXISTS (
  SELECT 1 FROM channel JOIN app_instance ON app_instance.app_instance_arn = channel.app_instance_arn
  WHERE channel_id = $1 AND coalesce(required_flow_arn, channel_flow_arn, '') = coalesce($3, '')))`

/** The channel with this number is not deleted. */
const channelLives = (channelId: string) =>
  `EXISTS (SELECT 1 FROM channel_head WHERE channel_id = ${channelId} AND deleted_at IS NULL)`

const acceptMessageGuard = `SELECT ${flowIsSame} AS flow_is_same FROM channel_membership
  JOIN app_instance_user ON user_id = member_id AND deleted_at IS NULL
  WHERE channel_id = $1 AND member_id = $2 AND type = 'DEFAULT' AND ${channelLives('$1')}`

/** The values of $3 and $4. */
const flowValues = (channelFlowArn: string | null | undefined): [Value, Value] => [
  channelFlowArn ?? null,
  channelFlowArn === undefined ? 0 : 1,
]

const insertToken = insertOnceText('idempotency_token', tokenColumns)
const insertMessage = insertText('channel_message', messageColumns)

function acceptMessage(writer: Writer, change: AcceptMessage, committed: Committed): AcceptOutcome {
  const { message, channelFlowArn, event, token, flow } = change
  const { channel_id, channel_arn, sender_id } = message
  const member = writer.get<{ flow_is_same: number }>(
    acceptMessageGuard,
    channel_id,
    sender_id,
    ...flowValues(channelFlowArn),
  )
  if (!member) return { result: 'rejected', because: 'sender is no member' }
  if (member.flow_is_same === 0) return { result: 'rejected', because: 'flow has changed' }
  if (token && writer.run(insertToken, ...valuesOf(token, tokenColumns)) === 0) {
    return { result: 'rejected', because: 'token is in use' }
  }
  const advance = becomesLast(message) ? advanceHeadForNewMessageText : advanceHeadText
  const head = advanceHead(writer, advance, channel_arn, channel_id, message.created_at)
  const row: MessageRow = { ...message, ...head, updated_at: head.created_at }
  writer.run(insertMessage, ...valuesOf(row, messageColumns))
  if (flow) startRun(writer, flow, row, committed)
  log(writer, committed, messageEvent(event, row), head)
  return { result: 'accepted', message: row }
}

const insertRun = insertText('flow_run', runColumns)
const insertStep = insertText('flow_step', stepColumns)

function startRun(
  writer: Writer,
  flow: { run: RunRow; step: StepRow },
  message: MessageRow,
  committed: Committed,
): void {
  writer.run(insertRun, ...valuesOf(flow.run, runColumns))
  writer.run(insertStep, ...valuesOf(flow.step, stepColumns))
  committed.jobs.push({ ...flow, message })
}

const acceptUpdateGuard = `SELECT 1 FROM channel_message
  WHERE channel_id = $1 AND message_id = $2 AND revision = $5 - 1
    AND status = 'SENT' AND redacted = 0 AND coalesce(update_status, '') <> 'PENDING' AND ${flowIsSame}
    AND ${channelLives('$1')}
    AND ($6 = 0 OR EXISTS (SELECT 1 FROM channel_membership WHERE channel_id = $1 AND member_id = sender_id))`

function acceptUpdate(writer: Writer, change: AcceptUpdate, committed: Committed): AcceptUpdateOutcome {
  const { message, asMember, channelFlowArn, shown, event, flow } = change
  const { channel_id, channel_arn, message_id, revision } = message
  const flowIsAsRead = flowValues(channelFlowArn)
  const unchanged = writer.get(acceptUpdateGuard, channel_id, message_id, ...flowIsAsRead, revision, Number(asMember))
  if (!unchanged) return { result: 'rejected', because: 'message or flow has changed' }
  updateMessage(writer, message)
  if (flow) startRun(writer, flow, message, committed)
  const { seq } = advanceHead(writer, advanceHeadText, channel_arn, channel_id, 0)
  log(writer, committed, messageEvent(event, shown), { seq, created_at: change.now })
  return { result: 'accepted' }
}

const updateRun = updateText('flow_run', runState, runKey)

function decideStep(writer: Writer, change: DecideStep, committed: Committed): DecideOutcome {
  const { step, expectedOwner, run, processorName, changedBy, next, runResult } = change
  if (!updateOpenStep(writer, step, expectedOwner)) return { result: 'rejected', because: 'step is over' }
  writer.run(updateRun, ...valuesOf(run, runState), ...valuesOf(run, runKey))
  committed.decided.push(step.callback_id)
  if (run.state !== 'RUNNING') committed.ended.push({ run, step, processorName, changedBy })
  if (next) {
    writer.run(insertStep, ...valuesOf(next, stepColumns))
    committed.jobs.push({ step: next, run, message: change.message })
  }
  if (runResult) endMessage(writer, runResult, committed)
  return { result: 'decided' }
}

const deleteMessage = 'DELETE FROM channel_message WHERE channel_id = $1 AND message_id = $2'

function endMessage(writer: Writer, { message, shown, event }: RunResult, committed: Committed): void {
  const { channel_id, channel_arn, message_id, created_at, updated_at } = shown
  const changed = message ? updateMessage(writer, message) : writer.run(deleteMessage, channel_id, message_id)
  if (changed === 0) return
  const { seq } = becomesLast(shown)
    ? advanceHead(writer, advanceHeadForReleasedMessageText, channel_arn, channel_id, 0, created_at)
    : advanceHead(writer, advanceHeadText, channel_arn, channel_id, 0)
  log(writer, committed, messageEvent(event, shown), { seq, created_at: updated_at })
}

const messageChanges = [...messageState, 'updated_at'] as const
const updateMessageText = updateText('channel_message', messageChanges, messageKey)

/** Writes the columns of a message that can change. Returns the number of rows that it changed. */
const updateMessage = (writer: Writer, message: MessageRow): number =>
  writer.run(updateMessageText, ...valuesOf(message, messageChanges), ...valuesOf(message, messageKey))

function recordHandOff(writer: Writer, { step, expectedOwner }: RecordHandOff): RecordOutcome {
  return updateOpenStep(writer, step, expectedOwner)
    ? { result: 'recorded' }
    : { result: 'rejected', because: 'step is over' }
}

const expectedOwnerPlaceholder = `$${stepState.length + stepKey.length + 1}`
const written = (column: keyof StepRow) => `$${stepState.indexOf(column as 'state') + 1}`
const updateStep = `${updateText('flow_step', stepState, stepKey, stepAssignments(written))}
  AND ${stepIsOpen} AND owner = coalesce(${expectedOwnerPlaceholder}, owner)
  AND ${isNotExtended(written)} AND ${channelLives('flow_step.channel_id')}`

const updateOpenStep = (writer: Writer, step: StepRow, expectedOwner: string | undefined): boolean =>
  writer.run(updateStep, ...valuesOf(step, stepState), ...valuesOf(step, stepKey), expectedOwner ?? null) === 1

export function endStep(
  writer: Writer,
  { channel_id, callback_id }: Pick<RunRow, 'channel_id' | 'callback_id'>,
  now: number,
  committed: Committed,
): void {
  if (writer.run(endStepText, channel_id, callback_id, now) === 1) committed.decided.push(callback_id)
}

const takeText = (taken: string) =>
  `UPDATE flow_step SET owner = $1, due_at = ${dueAtOfTaken('$2', '$3')}
   WHERE (channel_id, callback_id) IN (${taken}) RETURNING ${stepColumns.join(', ')}`
const takeDue = takeText(takenSteps.due('$1', '$2', '$4'))
const takeOrphans = takeText(takenSteps.orphans('$5', '$4'))

function takeSteps(writer: Writer, { owner, deadNode, now, againAt, stepsMax }: TakeSteps): Job[] {
  const values = [owner, now, againAt, stepsMax] as const
  const steps =
    deadNode === undefined
      ? writer.all<StepRow>(takeDue, ...values)
      : writer.all<StepRow>(takeOrphans, ...values, deadNode)
  // RETURNING has no order.
  const oldestFirst = steps.sort((a, b) => a.created_at - b.created_at)
  return oldestFirst.flatMap((step) => {
    const key = [step.channel_id, step.message_id] as const
    const runText = 'SELECT * FROM run_view WHERE channel_id = $1 AND message_id = $2 AND revision = $3'
    const run = writer.get<RunRow>(runText, ...key, step.revision)
    const message = writer.get<MessageRow>(
      'SELECT * FROM message_view WHERE channel_id = $1 AND message_id = $2',
      ...key,
    )
    return run && message ? [{ step: { ...step, channel_arn: run.channel_arn }, run, message }] : []
  })
}

/** `text` takes the channel's next number. Throws if the channel is deleted. */
export function advanceHead(
  writer: Writer,
  text: string,
  channelArn: string,
  ...values: [channelId: number, ...Value[]]
): { seq: number; created_at: number } {
  const head = writer.get<{ seq: number; created_at: number }>(text, ...values)
  if (!head) throw noHead(channelArn)
  return head
}

const logColumns = ['channel_id', 'seq', 'event_type', 'audience_json', 'subject', 'revision', 'created_at'] as const
const insertLog = insertText('channel_log', logColumns)

/** Writes the event's row into the channel log, and adds the event to `committed`. */
export function log(
  writer: Writer,
  committed: Committed,
  event: Omit<ChannelEvent, 'seq' | 'createdAt'>,
  head: { seq: number; created_at: number },
): void {
  writer.run(insertLog, ...valuesOf(logRow(event, head), logColumns))
  committed.events.push({ ...event, seq: head.seq, createdAt: head.created_at })
}

export function insert<Row extends Columns<Row>>(writer: Writer, table: string, row: Row): void {
  writer.run(insertText(table, Object.keys(row)), ...Object.values<Value>(row))
}

/** Returns whether it inserted the row: there was none with this key. */
export function insertOnce<Row extends Columns<Row>>(writer: Writer, table: string, row: Row): boolean {
  return writer.run(insertOnceText(table, Object.keys(row)), ...Object.values<Value>(row)) === 1
}

const valuesOf = <Row>(row: Row, columns: readonly (keyof Row)[]): Value[] =>
  columns.map((column) => row[column] as Value)
