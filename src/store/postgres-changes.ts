import type { PoolClient } from 'pg'
import type { Settled } from './batcher.ts'
import type {
  AcceptMessage,
  AcceptUpdate,
  Change,
  DecideOutcome,
  DecideStep,
  RecordHandOff,
  TakeSteps,
} from './changes.ts'
import { ask, withoutNul } from './postgres-connection.ts'
import {
  acceptedMessage,
  acceptedRun,
  acceptedStep,
  acceptedToken,
  acceptMessages,
  acceptUpdates,
  decidedRun,
  decidedStep,
  decideSteps,
  endedMessage,
  nextStep,
  recordHandOffs,
  takeDueSteps,
  takeOrphans,
  updatedMessage,
} from './postgres-sql.ts'
import { becomesLast, messageEvent } from './statements.ts'
import type { Committed } from './store.ts'
import type { Job, MessageRow, StepRow } from './tables.ts'

/** Changes for one statement, with their indexes in the batch. */
export interface Group {
  kind: Change['kind']
  members: { batchIndex: number; change: Change }[]
}

/**
 * Splits the changes into as few groups as possible, each of one kind. Two changes of the same row keep their order: they
 * only share a group if its statement accepts the first of them. A TakeSteps has its own group, between the changes before
 * and after it.
 */
export function groupByKind(changes: readonly Change[]): Group[] {
  const groups: Group[] = []
  const lastAbout = new Map<string, number>()
  let lastTake = -1
  for (const [batchIndex, change] of changes.entries()) {
    const { kind } = change
    const things = thingsOf(change)
    const behind = Math.max(lastTake, ...things.map((thing) => lastAbout.get(thing) ?? -1))
    const first = kind === groups[behind]?.kind && firstWins[kind] ? behind : behind + 1
    const found = kind === 'TakeSteps' ? -1 : groups.findIndex((group, index) => index >= first && group.kind === kind)
    const index = found < 0 ? groups.push({ kind, members: [] }) - 1 : found
    groups[index]?.members.push({ batchIndex, change })
    for (const thing of things) lastAbout.set(thing, index)
    if (kind === 'TakeSteps') lastTake = index
  }
  return groups
}

/** Whether the statement of the kind accepts the first of two changes of the same row. */
const firstWins: { [kind in Change['kind']]: boolean } = {
  AcceptMessage: true,
  AcceptUpdate: true,
  DecideStep: true,
  RecordHandOff: false,
  TakeSteps: false,
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
    case 'TakeSteps':
      return []
  }
}

/** Executes a group in one round trip, and adds its events to `committed`. Resolves to the outcomes, in the order of changes. */
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
    case 'TakeSteps':
      return take(client, changes)
  }
}

type Element = Record<string, unknown>

/** The statement's rows, each at the index of its change; undefined if the statement returned none for it. */
async function askAbout<Row>(
  client: PoolClient,
  statement: typeof acceptMessages,
  elements: Element[],
): Promise<(Row | undefined)[]> {
  const { rows } = await ask(client, statement, [JSON.stringify(elements)])
  const inOrder = elements.map((): Row | undefined => undefined)
  for (const row of rows) inOrder[row.at] = row
  return inOrder
}

/** The first members of the element of a change. */
const elementOf = (at: number, event: AcceptMessage['event'] | undefined, revision: number | undefined): Element => ({
  at,
  event_type: event?.eventType,
  audience_json: event && JSON.stringify(event.audience),
  log_revision: revision,
})

/** The flow of the change, and the one that its channel must still have. */
function putFlow(element: Element, { channelFlowArn, flow }: Pick<AcceptMessage, 'channelFlowArn' | 'flow'>): void {
  element.flow_matters = channelFlowArn !== undefined
  element.read_flow_arn = channelFlowArn
  if (!flow) return
  acceptedRun.put(element, flow.run)
  acceptedStep.put(element, flow.step)
}

interface Accepted {
  is_member: boolean
  flow_is_same: boolean
  has_head: boolean
  is_accepted: boolean
  seq: number
  logged_at: number
}

async function accept(client: PoolClient, changes: AcceptMessage[], committed: Committed): Promise<Settled[]> {
  const elements = changes.map((change, at) => {
    const { message, event, token } = change
    const element = elementOf(at, event, message.revision)
    acceptedMessage.put(element, message)
    element.created_at = message.created_at
    element.becomes_last = becomesLast(message)
    if (token) acceptedToken.put(element, token)
    putFlow(element, change)
    return element
  })
  const rows = await askAbout<Accepted>(client, acceptMessages, elements)
  return changes.map(({ message, event, flow }, index) => {
    const row = rows[index] as Accepted
    if (!row.is_member) return rejected('sender is no member')
    if (!row.flow_is_same) return rejected('flow has changed')
    if (!row.has_head) return rejected('sender is no member')
    if (!row.is_accepted) return rejected('token is in use')
    const { seq, logged_at: created_at } = row
    const stored: MessageRow = { ...message, seq, created_at, updated_at: created_at }
    committed.events.push(eventOf(event, stored, seq, created_at))
    if (flow) committed.jobs.push({ ...flow, message: stored })
    return { outcome: { result: 'accepted', message: stored } }
  })
}

interface Numbered {
  /** Null if the change has no event. */
  seq: number | null
}

async function update(client: PoolClient, changes: AcceptUpdate[], committed: Committed): Promise<Settled[]> {
  const elements = changes.map((change, at) => {
    const { message, asMember, shown, event, now } = change
    const element = elementOf(at, event, shown.revision)
    updatedMessage.put(element, message)
    element.sender_id = message.sender_id
    element.as_member = asMember
    element.logged_at = now
    putFlow(element, change)
    return element
  })
  const rows = await askAbout<Numbered>(client, acceptUpdates, elements)
  return changes.map(({ message, shown, event, flow, now }, index) => {
    const row = rows[index]
    if (!row || row.seq === null) return rejected('message or flow has changed')
    if (flow) committed.jobs.push({ ...flow, message })
    committed.events.push(eventOf(event, shown, row.seq, now))
    return { outcome: { result: 'accepted' } }
  })
}

async function decide(client: PoolClient, changes: DecideStep[], committed: Committed): Promise<Settled[]> {
  const elements = changes.map(({ step, expectedOwner, run, next, runResult, message }, at) => {
    const element = elementOf(at, runResult?.event, runResult?.shown.revision)
    putStep(element, step, expectedOwner)
    element.message_id = message.message_id
    element.revision = run.revision
    decidedRun.put(element, run)
    if (next) nextStep.put(element, next)
    if (!runResult) return element
    element.ends = true
    element.keeps_row = runResult.message !== undefined
    if (runResult.message) endedMessage.put(element, runResult.message)
    element.logged_at = runResult.shown.updated_at
    element.last_message_at = becomesLast(runResult.shown) ? runResult.shown.created_at : undefined
    return element
  })
  const rows = await askAbout<Numbered>(client, decideSteps, elements)
  return changes.map(({ step, run, processorName, changedBy, next, runResult, message }, index) => {
    const row = rows[index]
    if (!row) return rejected('step is over')
    const { seq } = row
    committed.decided.push(step.callback_id)
    if (run.state !== 'RUNNING') committed.ended.push({ run, step, processorName, changedBy })
    if (next) committed.jobs.push({ step: next, run, message })
    if (runResult && seq !== null)
      committed.events.push(eventOf(runResult.event, runResult.shown, seq, runResult.shown.updated_at))
    return { outcome: { result: 'decided' } }
  })
}

/** The same in a transaction, which fails at the first error. */
export async function decideAll(
  client: PoolClient,
  changes: DecideStep[],
  committed: Committed,
): Promise<DecideOutcome[]> {
  const settled = changes.length === 0 ? [] : await decide(client, changes, committed)
  return settled.map((one) => {
    if ('error' in one) throw one.error
    return one.outcome as DecideOutcome
  })
}

async function record(client: PoolClient, changes: RecordHandOff[]): Promise<Settled[]> {
  const elements = changes.map(({ step, expectedOwner }, at) => {
    const element: Element = { at }
    putStep(element, step, expectedOwner)
    return element
  })
  const rows = await askAbout(client, recordHandOffs, elements)
  return rows.map((row) => (row ? { outcome: { result: 'recorded' } } : rejected('step is over')))
}

async function take(client: PoolClient, changes: TakeSteps[]): Promise<Settled[]> {
  const [{ owner, deadNode, now, againAt, stepsMax }] = changes as [TakeSteps]
  const values = [owner, now, againAt, stepsMax]
  const { rows } =
    deadNode === undefined
      ? await ask(client, takeDueSteps, values)
      : await ask(client, takeOrphans, [...values, deadNode])
  const jobs = (rows as Job[]).map((job) => ({ ...job, step: { ...job.step, channel_arn: job.run.channel_arn } }))
  // RETURNING has no order.
  return [{ outcome: jobs.sort((a, b) => a.step.created_at - b.step.created_at) }]
}

const rejected = (because: string): Settled => ({ outcome: { result: 'rejected', because } })

function putStep(element: Element, step: StepRow, expectedOwner: string | undefined): void {
  element.channel_id = step.channel_id
  element.callback_id = step.callback_id
  element.expected_owner = expectedOwner
  // The reason of a failure may contain text of the function, and PostgreSQL's JSON accepts no lone surrogates.
  decidedStep.put(element, { ...step, failure: withoutNul(step.failure?.toWellFormed() ?? null) })
}

const eventOf = (event: AcceptMessage['event'], message: MessageRow, seq: number, createdAt: number) => ({
  ...messageEvent(event, message),
  seq,
  createdAt,
})
