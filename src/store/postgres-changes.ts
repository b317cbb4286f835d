import type { PoolClient } from 'pg'
import type { Settled } from './batcher.ts'
import type { AcceptMessage, AcceptUpdate, Change, DecideStep, LeaseSteps, RecordHandOff } from './changes.ts'
import { ask, withoutNul } from './postgres-connection.ts'
import { acceptMessages, acceptUpdates, decideSteps, leaseSteps, recordHandOffs } from './postgres-sql.ts'
import { noHead } from './statements.ts'
import type { Committed } from './store.ts'
import type { MessageRow, StepRow, Turn } from './tables.ts'

/** Changes that one statement carries out, with their places in the batch. */
export interface Group {
  kind: Change['kind']
  members: { place: number; change: Change }[]
}

/**
 * As few groups as may be, each of one kind, while two changes of one thing keep their order: they share a group only
 * where its statement lets the first of them win. Due steps are leased one call at a time, between what came before and
 * what comes after.
 */
export function groupByKind(changes: readonly Change[]): Group[] {
  const groups: Group[] = []
  const lastAbout = new Map<string, number>()
  let lastLease = -1
  for (const [place, change] of changes.entries()) {
    const { kind } = change
    const things = thingsOf(change)
    const behind = Math.max(lastLease, ...things.map((thing) => lastAbout.get(thing) ?? -1))
    const first = kind === groups[behind]?.kind && firstWins[kind] ? behind : behind + 1
    const found = kind === 'LeaseSteps' ? -1 : groups.findIndex((group, index) => index >= first && group.kind === kind)
    const index = found < 0 ? groups.push({ kind, members: [] }) - 1 : found
    groups[index]?.members.push({ place, change })
    for (const thing of things) lastAbout.set(thing, index)
    if (kind === 'LeaseSteps') lastLease = index
  }
  return groups
}

/** Whether the statement knows what to do with two changes of one thing. */
const firstWins: { [kind in Change['kind']]: boolean } = {
  AcceptMessage: true,
  AcceptUpdate: true,
  DecideStep: true,
  RecordHandOff: false,
  LeaseSteps: false,
}

function thingsOf(change: Change): string[] {
  switch (change.kind) {
    case 'AcceptMessage':
    case 'AcceptUpdate':
      return [change.message.message_id]
    case 'DecideStep':
      return [change.step.callback_id, change.message.message_id]
    case 'RecordHandOff':
      return [change.step.callback_id]
    case 'LeaseSteps':
      return []
  }
}

/** Carries out a group in one round trip, and adds to `committed` what it brought. Answers in the order of the changes. */
export function carryOutGroup(client: PoolClient, { kind, members }: Group, committed: Committed): Promise<Settled[]> {
  const changes = members.map(({ change }) => change) as never[]
  switch (kind) {
    case 'AcceptMessage':
      return accept(client, changes, committed)
    case 'AcceptUpdate':
      return update(client, changes, committed)
    case 'DecideStep':
      return decide(client, changes, committed)
    case 'RecordHandOff':
      return record(client, changes)
    case 'LeaseSteps':
      return lease(client, changes)
  }
}

/** The statement's rows, each at the place of its change. */
async function askAbout<Row>(client: PoolClient, statement: typeof acceptMessages, elements: object[]): Promise<Row[]> {
  const numbered = elements.map((element, at) => ({ at, ...element }))
  const { rows } = await ask(client, statement, [JSON.stringify(numbered)])
  const inOrder: Row[] = []
  for (const row of rows) inOrder[row.at] = row
  return inOrder
}

interface Accepted {
  is_member: boolean
  flow_is_same: boolean
  has_head: boolean
  seq: number | null
  created_at: number
}

async function accept(client: PoolClient, changes: AcceptMessage[], committed: Committed): Promise<Settled[]> {
  const rows = await askAbout<Accepted>(
    client,
    acceptMessages,
    changes.map(({ message, channelFlowArn, event, token, flow }) => ({
      message,
      flow_matters: channelFlowArn !== undefined,
      read_flow_arn: channelFlowArn,
      event_type: event.eventType,
      audience_json: JSON.stringify(event.audience),
      token,
      run: flow?.run,
      step: flow?.step,
    })),
  )
  return changes.map(({ message, event, flow }, index) => {
    const row = rows[index] as Accepted
    if (!row.is_member) return refused('sender is no member')
    if (!row.flow_is_same) return refused('flow has changed')
    if (!row.has_head) return { error: noHead(message.channel_arn) }
    if (row.seq === null) return refused('token is in use')
    const { seq, created_at } = row
    const stored: MessageRow = { ...message, seq, created_at, updated_at: created_at }
    committed.events.push(eventOf(event, stored, seq, created_at))
    if (flow) committed.turns.push({ ...flow, message: stored })
    return { outcome: { result: 'accepted', message: stored } }
  })
}

async function update(client: PoolClient, changes: AcceptUpdate[], committed: Committed): Promise<Settled[]> {
  const rows = await askAbout<{ accepted: boolean; seq: number | null }>(
    client,
    acceptUpdates,
    changes.map(({ message, channelFlowArn, shown, event, flow, now }) => ({
      message,
      flow_matters: channelFlowArn !== undefined,
      read_flow_arn: channelFlowArn,
      event_type: event.eventType,
      audience_json: JSON.stringify(event.audience),
      log_revision: shown.revision,
      now,
      run: flow?.run,
      step: flow?.step,
    })),
  )
  return changes.map(({ message, shown, event, flow, now }, index) => {
    const { accepted, seq } = rows[index] as (typeof rows)[number]
    if (!accepted) return refused('message or flow has changed')
    if (seq === null) return { error: noHead(message.channel_arn) }
    if (flow) committed.turns.push({ ...flow, message })
    committed.events.push(eventOf(event, shown, seq, now))
    return { outcome: { result: 'accepted' } }
  })
}

async function decide(client: PoolClient, changes: DecideStep[], committed: Committed): Promise<Settled[]> {
  const rows = await askAbout<{ decided: boolean; seq: number | null }>(
    client,
    decideSteps,
    changes.map(({ step, heldBy, run, next, ending, message }) => ({
      ...keyOf(step),
      message_id: message.message_id,
      held_by: heldBy,
      step: storable(step),
      run,
      next,
      ends: ending !== undefined,
      message: ending?.message,
      event_type: ending?.event.eventType,
      audience_json: JSON.stringify(ending?.event.audience),
      log_revision: ending?.shown.revision,
      log_created_at: ending?.shown.updated_at,
      last_message_at: ending && becomesLast(ending.shown) ? ending.shown.created_at : null,
    })),
  )
  return changes.map(({ step, run, processorName, changedBy, next, ending, message }, index) => {
    const { decided, seq } = rows[index] as (typeof rows)[number]
    if (!decided) return refused('step is over')
    committed.decided.push(step.callback_id)
    if (run.state !== 'RUNNING') committed.ended.push({ run, step, processorName, changedBy })
    if (next) committed.turns.push({ step: next, run, message })
    if (ending && seq !== null) committed.events.push(eventOf(ending.event, ending.shown, seq, ending.shown.updated_at))
    return { outcome: { result: 'decided' } }
  })
}

async function record(client: PoolClient, changes: RecordHandOff[]): Promise<Settled[]> {
  const elements = changes.map(({ step, heldBy }) => ({ ...keyOf(step), held_by: heldBy, step: storable(step) }))
  const rows = await askAbout<{ recorded: boolean }>(client, recordHandOffs, elements)
  return rows.map(({ recorded }) => (recorded ? { outcome: { result: 'recorded' } } : refused('step is over')))
}

async function lease(client: PoolClient, changes: LeaseSteps[]): Promise<Settled[]> {
  const [{ owner, leaseUntil, now, stepsMax }] = changes as [LeaseSteps]
  const { rows } = await ask(client, leaseSteps, [owner, leaseUntil, now, stepsMax])
  // RETURNING keeps no order.
  return [{ outcome: (rows as Turn[]).sort((a, b) => a.step.created_at - b.step.created_at) }]
}

const refused = (because: string): Settled => ({ outcome: { result: 'refused', because } })

/** Why an attempt failed may be in a function's own words, and PostgreSQL's JSON takes no lone surrogates. */
const storable = (step: StepRow) => ({ ...step, failure: withoutNul(step.failure?.toWellFormed() ?? null) })

const keyOf = ({ channel_arn, callback_id }: DecideStep['step']) => ({ channel_arn, callback_id })

/** Everybody in the channel reads this time, so a message that only its target sees does not move it. */
const becomesLast = ({ status, persistence, target_arn }: MessageRow): boolean =>
  status === 'SENT' && persistence === 'PERSISTENT' && target_arn === null

const eventOf = (event: AcceptMessage['event'], message: MessageRow, seq: number, createdAt: number) => ({
  ...event,
  channelArn: message.channel_arn,
  seq,
  createdAt,
  about: { message },
})
