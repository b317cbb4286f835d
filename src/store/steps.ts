import assert from 'node:assert/strict'
import { everyShard, shardOf } from './shards.ts'
import type { Reader } from './store.ts'
import type { MessageRow, RunRow, StepRow, Turn } from './tables.ts'

/** In SQL: somebody must still do something about the step. Indexes have the same words. */
export const stepIsOpen = `state IN ('DISPATCHING', 'AWAITING')`

/**
 * In SQL: what a living node has in hand is that node's to renew, until its deadline ends all that. Whoever is not in
 * `node` has given back what it had, or is the only one on its store.
 */
export const mayBeTaken = (owner: string, now: string): string =>
  `(owner IN ('', ${owner}) OR deadline_at <= ${now} OR owner NOT IN (SELECT node_id FROM node))`

/** Of each shard its earliest, and of these the first: the index answers each, however many steps are open. */
const earliest = `WITH every (shard) AS (VALUES ${everyShard.replaceAll(/\d+/g, '($&)')})
  SELECT min((SELECT due_at FROM flow_step
    WHERE flow_step.shard = every.shard AND ${stepIsOpen} ORDER BY due_at LIMIT 1)) AS due_at FROM every`

/** When the first of the open steps is due, or undefined if none is open. */
export async function readNextDueAt(read: Reader): Promise<number | undefined> {
  const row = await read.get<{ due_at: number | null }>(earliest)
  return row?.due_at ?? undefined
}

/** Which steps of one channel are read: those that this node has leased for this function. */
export interface LeasedSteps {
  owner: string
  channelId: number
  functionArn: string
  /** When they may be due: no other rows are looked at. */
  dueFrom: number
  dueUntil: number
  stepsMax: number
}

/**
 * The steps that a node has leased for one function and channel, those that are due first at first. Only flow_step_due
 * bounds what is read, by shard and time: every other index leads to steps that are over, so an engine must not use it,
 * and cannot where the column is part of an expression.
 */
export const readLeasedSteps = (read: Reader, steps: LeasedSteps): Promise<StepRow[]> =>
  read.all<StepRow>(
    `SELECT * FROM step_view WHERE ${stepIsOpen} AND owner = $1 AND shard = $2 AND due_at BETWEEN $3 AND $4
       AND channel_id + 0 = $5 AND function_arn = $6
     ORDER BY due_at, created_at LIMIT $7`,
    steps.owner,
    shardOf(steps.channelId),
    steps.dueFrom,
    steps.dueUntil,
    steps.channelId,
    steps.functionArn,
    steps.stepsMax,
  )

/** More turns than this are never read at once. */
export const turnsMax = 64

const givenIds = Array.from({ length: turnsMax }, (_, index) => `$${index + 2}`).join(', ')

/** The turns of steps of one channel, in their order. A step whose message is gone has none. */
export async function readTurns(read: Reader, channelId: number, steps: readonly StepRow[]): Promise<Turn[]> {
  assert(steps.length <= turnsMax)
  const last = steps.at(-1)
  if (!last) return []
  // Always as many as the statement takes, so that there is one statement.
  const ids = Array.from({ length: turnsMax }, (_, index) => (steps[index] ?? last).message_id)
  const where = `WHERE channel_id = $1 AND message_id IN (${givenIds})`
  const [runs, messages] = await Promise.all([
    read.all<RunRow>(`SELECT * FROM run_view ${where}`, channelId, ...ids),
    read.all<MessageRow>(`SELECT * FROM message_view ${where}`, channelId, ...ids),
  ])
  const runKey = (row: Pick<RunRow, 'message_id' | 'revision'>) => `${row.message_id} ${row.revision}`
  const runOf = new Map(runs.map((run) => [runKey(run), run]))
  const messageOf = new Map(messages.map((message) => [message.message_id, message]))
  return steps.flatMap((step) => {
    const run = runOf.get(runKey(step))
    const message = messageOf.get(step.message_id)
    return run && message ? [{ step, run, message }] : []
  })
}
