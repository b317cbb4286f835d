import assert from 'node:assert/strict'
import { everyShard, shardOf } from './shards.ts'
import type { Reader } from './store.ts'
import type { Job, MessageRow, RunRow, StepRow } from './tables.ts'

/*
 * Who owns an open step. A living node's ownership never expires, so nothing is written for a step that waits.
 *
 *            owner       due_at                    who takes it
 *   free     ''          the retry or deadline     any node, once it is due
 *   owned    this node   the deadline              no other node; the owner itself expires it at its deadline
 *   orphan   no row      the deadline              any living node, due or not
 *            in `node`
 *
 *   accepted ──► owned ──outcome without a verdict──► free ──due──► owned
 *                  │                                              ▲
 *                  └──the owner's row in `node` is deleted──► orphan
 *
 * The store of a single node has no rows in `node`: its node always has the same id (`soleOwner`), so after a restart
 * it still owns its steps. A hand-off moves the deadline and not due_at: the rows of a node stay in the order of their
 * creation. When the old due_at has passed, TakeSteps sets due_at to the new deadline. The same follows if an operator extends
 * the deadline of an owned step (extensions.ts).
 */

/** The id of the only node of a store. */
export const soleOwner = 'local'

/** In SQL: the step needs a verdict or a retry. The index has the same condition. */
export const stepIsOpen = `state IN ('DISPATCHING', 'AWAITING')`

/** The owner of a step that any node may take. */
export const free = ''

/**
 * In SQL: the steps for TakeSteps. Each is a range of the index flow_step_due. Due steps are taken oldest first, orphans
 * in index order: to sort 100,000 orphans for each piece would cost more than to take them.
 */
export const takenSteps = {
  due: (node: string, now: string, limit: string) =>
    `SELECT channel_id, callback_id FROM flow_step
     WHERE ${stepIsOpen} AND owner IN ('${free}', ${node}) AND shard IN (${everyShard}) AND due_at <= ${now}
     ORDER BY due_at LIMIT ${limit}`,
  orphans: (deadNode: string, limit: string) =>
    `SELECT channel_id, callback_id FROM flow_step
     WHERE ${stepIsOpen} AND owner = ${deadNode} AND ${deadNode} NOT IN (SELECT node_id FROM node)
     ORDER BY shard, due_at LIMIT ${limit}`,
}

/**
 * In SQL: the new due_at of a step that was taken. If its deadline has passed, it is due again at $againAt unless it ends.
 */
export const dueAtOfTaken = (now: string, againAt: string): string =>
  `CASE WHEN deadline_at > ${now} THEN deadline_at ELSE ${againAt} END`

/**
 * In SQL: the columns of a hot write of a step that do not simply become what the node has in memory. An operator may have
 * extended the deadline in the row since, so it only moves to a later time, and a step that waits for it moves along.
 * `written` names the value of a column in the write.
 */
export function stepAssignments(written: (column: keyof StepRow) => string): { due_at: string; deadline_at: string } {
  const isExtended = `flow_step.deadline_at > ${written('deadline_at')}`
  const waitsForDeadline = `${written('state')} = 'AWAITING' AND ${written('due_at')} = ${written('deadline_at')}`
  return {
    due_at: `CASE WHEN ${isExtended} AND ${waitsForDeadline} THEN flow_step.deadline_at ELSE ${written('due_at')} END`,
    deadline_at: `CASE WHEN ${isExtended} THEN flow_step.deadline_at ELSE ${written('deadline_at')} END`,
  }
}

/** In SQL: the write does not end the step at a deadline that has been extended in the row. */
export const isNotExtended = (written: (column: keyof StepRow) => string): string =>
  `(${written('state')} <> 'EXPIRED' OR ${written('decided_at')} < ${written('deadline_at')}
    OR flow_step.deadline_at <= ${written('decided_at')})`

/** The earliest free or own step of each shard: one look into the index for each, with any number of open steps. */
const earliest = `WITH every (shard) AS (VALUES ${everyShard.replaceAll(/\d+/g, '($&)')}),
    taker (owner) AS (VALUES ('${free}'), (CAST($1 AS TEXT)))
  SELECT min((SELECT due_at FROM flow_step
    WHERE flow_step.owner = taker.owner AND flow_step.shard = every.shard AND ${stepIsOpen}
    ORDER BY due_at LIMIT 1)) AS due_at FROM every CROSS JOIN taker`

/** When the first free or own step is due; undefined if there is none. */
export async function readNextDueAt(read: Reader, node: string): Promise<number | undefined> {
  const row = await read.get<{ due_at: number | null }>(earliest, node)
  return row?.due_at ?? undefined
}

/**
 * In SQL, a part of WITH RECURSIVE: the owners of open steps, and NULL. It takes one look into the index for each owner;
 * 'SELECT DISTINCT owner' would read all open steps.
 */
export const everyOwner = (name: string): string => `${name} (owner) AS (
    SELECT (SELECT owner FROM flow_step WHERE ${stepIsOpen} ORDER BY owner LIMIT 1)
    UNION ALL
    SELECT (SELECT flow_step.owner FROM flow_step WHERE ${stepIsOpen} AND flow_step.owner > ${name}.owner
      ORDER BY flow_step.owner LIMIT 1) FROM ${name} WHERE ${name}.owner IS NOT NULL
  )`

const deadOwners = `WITH RECURSIVE ${everyOwner('one')}
  SELECT owner FROM one WHERE owner NOT IN ('${free}', $1) AND owner NOT IN (SELECT node_id FROM node)`

/** The owners of open steps that are not living nodes. `node` counts as living, even without a row. */
export const readDeadOwners = async (read: Reader, node: string): Promise<string[]> =>
  (await read.all<{ owner: string }>(deadOwners, node)).map(({ owner }) => owner)

/** The range of `readOwnSteps`: steps of one channel that this node owns, for one function. */
export interface OwnSteps {
  owner: string
  channelId: number
  functionArn: string
  /** Only rows that are due in this range are read. */
  dueFrom: number
  dueUntil: number
  stepsMax: number
}

/**
 * The steps that a node owns for one function and channel, in the order of due_at. Only the index flow_step_due bounds the
 * rows that are read, by shard and time: the other indexes contain ended steps. A column in an expression (`+ 0`) prevents
 * their use.
 */
export const readOwnSteps = (read: Reader, steps: OwnSteps): Promise<StepRow[]> =>
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

/** Where a walk over a node's rows is: behind this row of the index. */
export interface OwnStepsCursor {
  shard: number
  dueAt: number
  callbackId: string
}

/** Before the first row. */
export const ownStepsBegin: OwnStepsCursor = { shard: 0, dueAt: Number.MIN_SAFE_INTEGER, callbackId: '' }

/** The columns that identify a step, its channel and its function. */
export type OwnStepKey = Pick<
  StepRow,
  'channel_id' | 'channel_arn' | 'callback_id' | 'function_arn' | 'shard' | 'due_at' | 'deadline_at'
>

/**
 * One page of the rows of one shard that a node owns, after the cursor. The callback id orders rows that are due in the
 * same millisecond.
 */
export const readOwnStepsPage = (
  read: Reader,
  owner: string,
  { shard, dueAt, callbackId }: OwnStepsCursor,
  stepsMax: number,
): Promise<OwnStepKey[]> =>
  read.all<OwnStepKey>(
    `SELECT channel_id, channel_arn, callback_id, function_arn, shard, due_at, deadline_at FROM step_view
     WHERE ${stepIsOpen} AND owner = $1 AND shard = $2 AND due_at >= $3 AND (due_at > $3 OR callback_id > $4)
     ORDER BY due_at, callback_id LIMIT $5`,
    owner,
    shard,
    dueAt,
    callbackId,
    stepsMax,
  )

/** Maximum of jobs in one read. */
export const jobsMax = 64

const givenIds = Array.from({ length: jobsMax }, (_, index) => `$${index + 2}`).join(', ')

/** The jobs of steps of one channel, in their order. A step without a message has none. */
export async function readJobs(read: Reader, channelId: number, steps: readonly StepRow[]): Promise<Job[]> {
  assert(steps.length <= jobsMax)
  const last = steps.at(-1)
  if (!last) return []
  // Always the same number of ids, so that there is one prepared statement.
  const ids = Array.from({ length: jobsMax }, (_, index) => (steps[index] ?? last).message_id)
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

/** The job of one step, if it is open and the node owns it. */
export async function readOwnJob(
  read: Reader,
  owner: string,
  channelId: number,
  callbackId: string,
): Promise<Job | undefined> {
  const text = `SELECT * FROM step_view WHERE channel_id = $1 AND callback_id = $2 AND ${stepIsOpen} AND owner = $3`
  const step = await read.get<StepRow>(text, channelId, callbackId, owner)
  const [job] = step ? await readJobs(read, channelId, [step]) : []
  return job
}
