import type {
  AcceptMessage,
  AcceptOutcome,
  AcceptUpdate,
  AcceptUpdateOutcome,
  Change,
  DecideOutcome,
  DecideStep,
  Ending,
  LeaseSteps,
  RecordHandOff,
  RecordOutcome,
} from './changes.ts'
import { everyShard } from './shards.ts'
import { advanceHeadText, endStepsText, insertText, logRow, noHead } from './statements.ts'
import { mayBeTaken, stepIsOpen } from './steps.ts'
import type { Columns, Committed, Value } from './store.ts'
import type { Audience, ChannelEvent, MessageRow, RunRow, StepRow, Turn } from './tables.ts'

/** Prepared statements of the writer connection, inside its open transaction. */
export interface Writer {
  get<Row>(sql: string, ...values: Value[]): Row | undefined
  all<Row>(sql: string, ...values: Value[]): Row[]
  run(sql: string, ...values: Value[]): number
}

/** Carries out one hot write and adds to `committed` what must be told once it is durable. */
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
    case 'LeaseSteps':
      return leaseSteps(writer, change)
  }
}

function acceptMessage(writer: Writer, change: AcceptMessage, committed: Committed): AcceptOutcome {
  const { message, channelFlowArn, event, token, flow } = change
  const member = writer.get(
    `SELECT 1 FROM channel_membership WHERE channel_arn = $1 AND member_arn = $2 AND type = 'DEFAULT'`,
    message.channel_arn,
    message.sender_arn,
  )
  if (!member) return { result: 'refused', because: 'sender is no member' }
  if (channelFlowArn !== undefined && !hasFlow(writer, message.channel_arn, channelFlowArn)) {
    return { result: 'refused', because: 'flow has changed' }
  }
  if (token && !insertOnce(writer, 'idempotency_token', token)) {
    return { result: 'refused', because: 'token is in use' }
  }
  const head = advanceHead(writer, message.channel_arn, message.created_at)
  const row: MessageRow = { ...message, ...head, updated_at: head.created_at }
  insert(writer, 'channel_message', row)
  if (row.status === 'SENT') moveLastMessage(writer, row)
  if (flow) {
    insert(writer, 'flow_run', flow.run)
    insert(writer, 'flow_step', flow.step)
    committed.turns.push({ ...flow, message: row })
  }
  log(writer, committed, { ...event, channelArn: row.channel_arn, about: { message: row } }, head)
  return { result: 'accepted', message: row }
}

function hasFlow(writer: Writer, channelArn: string, channelFlowArn: string | null): boolean {
  const sql = `SELECT 1 FROM channel WHERE channel_arn = $1 AND coalesce(channel_flow_arn, '') = coalesce($2, '')`
  return writer.get(sql, channelArn, channelFlowArn) !== undefined
}

function acceptUpdate(writer: Writer, change: AcceptUpdate, committed: Committed): AcceptUpdateOutcome {
  const { message, channelFlowArn, shown, event, flow } = change
  const unchanged = writer.get(
    `SELECT 1 FROM channel_message WHERE channel_arn = $1 AND message_id = $2 AND revision = $3 - 1
       AND status = 'SENT' AND redacted = 0 AND coalesce(update_status, '') <> 'PENDING'`,
    message.channel_arn,
    message.message_id,
    message.revision,
  )
  if (!unchanged || (channelFlowArn !== undefined && !hasFlow(writer, message.channel_arn, channelFlowArn))) {
    return { result: 'refused', because: 'message or flow has changed' }
  }
  updateMessage(writer, message)
  if (flow) {
    insert(writer, 'flow_run', flow.run)
    insert(writer, 'flow_step', flow.step)
    committed.turns.push({ ...flow, message })
  }
  const { seq } = advanceHead(writer, message.channel_arn, 0)
  const told = { ...event, channelArn: message.channel_arn, about: { message: shown } }
  log(writer, committed, told, { seq, created_at: change.now })
  return { result: 'accepted' }
}

function decideStep(writer: Writer, change: DecideStep, committed: Committed): DecideOutcome {
  const { step, heldBy, run, processorName, changedBy, next, ending } = change
  if (!updateOpenStep(writer, step, heldBy)) return { result: 'refused', because: 'step is over' }
  writer.run(
    `UPDATE flow_run SET state = $1, processors_json = $2, requested_json = $3, text_json = $4, ended_at = $5
     WHERE channel_arn = $6 AND message_id = $7 AND revision = $8`,
    run.state,
    run.processors_json,
    run.requested_json,
    run.text_json,
    run.ended_at,
    run.channel_arn,
    run.message_id,
    run.revision,
  )
  committed.decided.push(step.callback_id)
  if (run.state !== 'RUNNING') committed.ended.push({ run, step, processorName, changedBy })
  if (next) {
    insert(writer, 'flow_step', next)
    committed.turns.push({ step: next, run, message: change.message })
  }
  if (ending) endMessage(writer, change.message, ending, committed)
  return { result: 'decided' }
}

function endMessage(writer: Writer, read: MessageRow, { message, shown, event }: Ending, committed: Committed): void {
  const changed = message
    ? updateMessage(writer, message)
    : writer.run(
        'DELETE FROM channel_message WHERE channel_arn = $1 AND message_id = $2',
        read.channel_arn,
        read.message_id,
      )
  if (changed === 0) return
  if (shown.status === 'SENT') moveLastMessage(writer, shown)
  const { seq } = advanceHead(writer, shown.channel_arn, 0)
  const told = { ...event, channelArn: shown.channel_arn, about: { message: shown } }
  log(writer, committed, told, { seq, created_at: shown.updated_at })
}

/** Writes what can change in a message. Answers how many rows it changed. */
function updateMessage(writer: Writer, message: MessageRow): number {
  return writer.run(
    `UPDATE channel_message SET revision = $3, status = $4, status_detail = $5, content = $6, metadata = $7,
       content_type = $8, message_attributes_json = $9, push_notification_json = $10, edited_at = $11, updated_at = $12,
       update_status = $13, update_detail = $14 WHERE channel_arn = $1 AND message_id = $2`,
    message.channel_arn,
    message.message_id,
    message.revision,
    message.status,
    message.status_detail,
    message.content,
    message.metadata,
    message.content_type,
    message.message_attributes_json,
    message.push_notification_json,
    message.edited_at,
    message.updated_at,
    message.update_status,
    message.update_detail,
  )
}

function recordHandOff(writer: Writer, { step, heldBy }: RecordHandOff): RecordOutcome {
  return updateOpenStep(writer, step, heldBy) ? { result: 'recorded' } : { result: 'refused', because: 'step is over' }
}

function updateOpenStep(writer: Writer, step: StepRow, heldBy: string | undefined): boolean {
  const changed = writer.run(
    `UPDATE flow_step SET state = $1, tries = $2, attempts = $3, owner = $4, due_at = $5, deadline_at = $6,
       handed_off_at = $7, decided_at = $8, failure = $9, changes_json = $10, verdict_key = $11
     WHERE channel_arn = $12 AND callback_id = $13 AND ${stepIsOpen} AND owner = coalesce($14, owner)`,
    step.state,
    step.tries,
    step.attempts,
    step.owner,
    step.due_at,
    step.deadline_at,
    step.handed_off_at,
    step.decided_at,
    step.failure,
    step.changes_json,
    step.verdict_key,
    step.channel_arn,
    step.callback_id,
    heldBy ?? null,
  )
  return changed === 1
}

export function endSteps(
  writer: Writer,
  run: Pick<RunRow, 'channel_arn' | 'message_id' | 'revision'>,
  now: number,
  committed: Committed,
): void {
  const ended = writer.all<{ callback_id: string }>(endStepsText, run.channel_arn, run.message_id, run.revision, now)
  committed.decided.push(...ended.map((step) => step.callback_id))
}

function leaseSteps(writer: Writer, { owner, now, leaseUntil, stepsMax }: LeaseSteps): Turn[] {
  const steps = writer.all<StepRow>(
    `UPDATE flow_step SET owner = $1, due_at = CASE WHEN deadline_at > $3 THEN min($2, deadline_at) ELSE $2 END
     WHERE ${stepIsOpen} AND due_at <= $3 AND (channel_arn, callback_id) IN (
       SELECT channel_arn, callback_id FROM flow_step
       WHERE ${stepIsOpen} AND shard IN (${everyShard}) AND due_at <= $3
         AND ${mayBeTaken('$1', '$3')} ORDER BY due_at LIMIT $4)
     RETURNING *`,
    owner,
    leaseUntil,
    now,
    stepsMax,
  )
  // RETURNING keeps no order.
  const oldestFirst = steps.sort((a, b) => a.created_at - b.created_at)
  return oldestFirst.flatMap((step) => {
    const key = [step.channel_arn, step.message_id, step.revision] as const
    const run = writer.get<RunRow>(
      `SELECT * FROM flow_run WHERE channel_arn = $1 AND message_id = $2 AND revision = $3`,
      ...key,
    )
    const message = writer.get<MessageRow>(
      `SELECT * FROM channel_message WHERE channel_arn = $1 AND message_id = $2`,
      key[0],
      key[1],
    )
    return run && message ? [{ step, run, message }] : []
  })
}

export function advanceHead(writer: Writer, channelArn: string, now: number): { seq: number; created_at: number } {
  const head = writer.get<{ seq: number; created_at: number }>(advanceHeadText, channelArn, now)
  if (!head) throw noHead(channelArn)
  return head
}

/** Everybody in the channel reads this time, so a message that only its target sees does not move it. */
function moveLastMessage(writer: Writer, message: MessageRow): void {
  if (message.persistence !== 'PERSISTENT' || message.target_arn !== null) return
  writer.run(
    `UPDATE channel_head SET last_message_at = max(coalesce(last_message_at, 0), $2) WHERE channel_arn = $1`,
    message.channel_arn,
    message.created_at,
  )
}

/** Writes the event's row into the channel's log, and puts it among what will be told. */
export function log(
  writer: Writer,
  committed: Committed,
  event: Pick<ChannelEvent, 'channelArn' | 'eventType' | 'about'> & { audience: Audience },
  head: { seq: number; created_at: number },
): void {
  insert(writer, 'channel_log', logRow(event, head))
  committed.events.push({ ...event, seq: head.seq, createdAt: head.created_at })
}

export function insert<Row extends Columns<Row>>(writer: Writer, table: string, row: Row): void {
  writer.run(insertText(table, row), ...Object.values<Value>(row))
}

/** Answers whether there was no row with this key yet. */
export function insertOnce<Row extends Columns<Row>>(writer: Writer, table: string, row: Row): boolean {
  return writer.run(`${insertText(table, row)} ON CONFLICT DO NOTHING`, ...Object.values<Value>(row)) === 1
}
