import type {
  AcceptMessage,
  AcceptOutcome,
  Change,
  DecideOutcome,
  DecideStep,
  Ending,
  LeaseSteps,
  RecordHandOff,
  RecordOutcome,
} from './changes.ts'
import type { Committed, Value } from './store.ts'
import type { Audience, ChannelEvent, EventSubject, MessageRow, RunRow, StepRow, Turn } from './tables.ts'

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
    case 'DecideStep':
      return decideStep(writer, change, committed)
    case 'RecordHandOff':
      return recordHandOff(writer, change)
    case 'LeaseSteps':
      return leaseSteps(writer, change)
  }
}

function acceptMessage(writer: Writer, change: AcceptMessage, committed: Committed): AcceptOutcome {
  const { message, event, token, flow } = change
  const member = writer.get(
    `SELECT 1 FROM channel_membership WHERE channel_arn = $1 AND member_arn = $2 AND type = 'DEFAULT'`,
    message.channel_arn,
    message.sender_arn,
  )
  if (!member) return { result: 'refused', because: 'sender is no member' }
  if (token && !insertOnce(writer, 'idempotency_token', { ...token })) {
    return { result: 'refused', because: 'token is in use' }
  }
  const head = advanceHead(writer, message.channel_arn, message.created_at)
  const row: MessageRow = { ...message, ...head, updated_at: head.created_at }
  insert(writer, 'channel_message', { ...row })
  if (row.status === 'SENT') moveLastMessage(writer, row)
  if (flow) {
    insert(writer, 'flow_run', { ...flow.run })
    insert(writer, 'flow_step', { ...flow.step })
    committed.turns.push({ ...flow, message: row })
  }
  log(writer, committed, { ...event, channelArn: row.channel_arn, about: { message: row } }, head)
  return { result: 'accepted', message: row }
}

function decideStep(writer: Writer, change: DecideStep, committed: Committed): DecideOutcome {
  const { step, run, next, ending } = change
  if (!updateOpenStep(writer, step)) return { result: 'refused', because: 'step is over' }
  writer.run(
    `UPDATE flow_run SET state = $1, text_json = $2, ended_at = $3
     WHERE channel_arn = $4 AND message_id = $5 AND revision = $6`,
    run.state,
    run.text_json,
    run.ended_at,
    run.channel_arn,
    run.message_id,
    run.revision,
  )
  committed.decided.push(step.callback_id)
  if (next) {
    insert(writer, 'flow_step', { ...next })
    committed.turns.push({ step: next, run, message: change.message })
  }
  if (ending) endMessage(writer, change.message, ending, step.decided_at ?? 0, committed)
  return { result: 'decided' }
}

function endMessage(writer: Writer, read: MessageRow, ending: Ending, now: number, committed: Committed): void {
  const { content, metadata, content_type, message_attributes_json, push_notification_json } = ending.text
  const where = 'WHERE channel_arn = $1 AND message_id = $2'
  const stored = ending.stored
    ? writer.get<MessageRow>(
        `UPDATE channel_message SET status = $3, status_detail = $4, content = $5, metadata = $6, content_type = $7,
           message_attributes_json = $8, push_notification_json = $9, updated_at = $10 ${where} RETURNING *`,
        read.channel_arn,
        read.message_id,
        ending.status,
        ending.detail,
        content,
        metadata,
        content_type,
        message_attributes_json,
        push_notification_json,
        now,
      )
    : writer.get<MessageRow>(`DELETE FROM channel_message ${where} RETURNING *`, read.channel_arn, read.message_id)
  if (!stored) return
  const row = { ...stored, ...ending.text, status: ending.status, status_detail: ending.detail, updated_at: now }
  if (ending.status === 'SENT') moveLastMessage(writer, row)
  const head = advanceHead(writer, row.channel_arn, now)
  log(writer, committed, { ...ending.event, channelArn: row.channel_arn, about: { message: row } }, head)
}

function recordHandOff(writer: Writer, { step }: RecordHandOff): RecordOutcome {
  return updateOpenStep(writer, step) ? { result: 'recorded' } : { result: 'refused', because: 'step is over' }
}

const stepIsOpen = `state IN ('DISPATCHING', 'AWAITING')`

function updateOpenStep(writer: Writer, step: StepRow): boolean {
  const changed = writer.run(
    `UPDATE flow_step SET state = $1, tries = $2, attempts = $3, owner = $4, due_at = $5, deadline_at = $6,
       handed_off_at = $7, decided_at = $8, failure = $9, changes_json = $10
     WHERE channel_arn = $11 AND callback_id = $12 AND ${stepIsOpen}`,
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
    step.channel_arn,
    step.callback_id,
  )
  return changed === 1
}

function leaseSteps(writer: Writer, { owner, now, leaseUntil, stepsMax }: LeaseSteps): Turn[] {
  const steps = writer.all<StepRow>(
    `UPDATE flow_step SET owner = $1, due_at = CASE WHEN deadline_at > $3 THEN min($2, deadline_at) ELSE $2 END
     WHERE ${stepIsOpen} AND due_at <= $3 AND (channel_arn, callback_id) IN (
       SELECT channel_arn, callback_id FROM flow_step WHERE ${stepIsOpen} AND due_at <= $3 ORDER BY due_at LIMIT $4)
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

/** Takes the channel's next number. Time never runs backwards in a channel, whatever the clock does. */
export function advanceHead(writer: Writer, channelArn: string, now: number): { seq: number; created_at: number } {
  const head = writer.get<{ seq: number; created_at: number }>(
    `UPDATE channel_head SET next_seq = next_seq + 1, last_created_at = max(last_created_at, $2)
     WHERE channel_arn = $1 RETURNING next_seq - 1 AS seq, last_created_at AS created_at`,
    channelArn,
    now,
  )
  if (!head) throw new Error(`the channel ${channelArn} has no head row`)
  return head
}

function moveLastMessage(writer: Writer, message: MessageRow): void {
  if (message.persistence !== 'PERSISTENT') return
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
  const { subject, revision } = referenceOf(event.about)
  insert(writer, 'channel_log', {
    channel_arn: event.channelArn,
    seq: head.seq,
    event_type: event.eventType,
    audience_json: JSON.stringify(event.audience),
    subject,
    revision,
    created_at: head.created_at,
  })
  committed.events.push({ ...event, seq: head.seq, createdAt: head.created_at })
}

function referenceOf(about: EventSubject): { subject: string; revision: number } {
  if ('message' in about) return { subject: about.message.message_id, revision: about.message.revision }
  return { subject: about.membership.memberArn, revision: 0 }
}

function insert(writer: Writer, table: string, row: Record<string, Value>): void {
  writer.run(insertText(table, row), ...Object.values(row))
}

function insertOnce(writer: Writer, table: string, row: Record<string, Value>): boolean {
  return writer.run(`${insertText(table, row)} ON CONFLICT DO NOTHING`, ...Object.values(row)) === 1
}

/** The columns are our own row types' members, never a caller's. */
function insertText(table: string, row: Record<string, Value>): string {
  const columns = Object.keys(row)
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map((_, index) => `$${index + 1}`).join(', ')})`
}
