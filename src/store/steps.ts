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
 * it still owns its steps. A hand-off moves the deadline and leaves due_at: the order of a node's rows is the order of
 * their creation. TakeSteps moves due_at after the deadline once the old due_at has come.
 */

/** The id of the only node of a store. */
export const soleOwner = 'local'

/** In SQL: the step still needs a verdict or a retry. The index has the same condition. */
export const stepIsOpen = `state IN ('DISPATCHING', 'AWAITING')`

/** The owner of steps that any node may take. */
export const free = ''

/**
 * In SQL: the steps that TakeSteps takes. Each is a range of flow_step_due. Due steps are taken oldest first, orphans
 * in the order of the index: sorting 100,000 orphans for each piece of them would cost more than taking them.
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
 * In SQL: due_at of a step that was taken. One whose deadline has passed is due again at $againAt unless it is ended.
 */
export const dueAtOfTaken = (now: string, againAt: string): string =>
  `CASE WHEN deadline_at > ${now} THEN deadline_at ELSE ${againAt} END`

/** The earliest of each shard that is free or the node's: the index has each, however many steps are open. */
const earliest = `WITH every (shard) AS (VALUES ${everyShard.replaceAll(/\d+/g, '($&)')}),
    taker (owner) AS (VALUES ('${free}'), (CAST($1 AS TEXT)))
  SELECT min((SELECT due_at FROM flow_step
    WHERE flow_step.owner = taker.owner AND flow_step.shard = every.shard AND ${stepIsOpen}
    ORDER BY due_at LIMIT 1)) AS due_at FROM every CROSS JOIN taker`

/** When the first of the steps is due that are free or owned by this node; undefined if there is none. */
export async function readNextDueAt(read: Reader, node: string): Promise<number | undefined> {
  const row = await read.get<{ due_at: number | null }>(earliest, node)
  return row?.due_at ?? undefined
}

/**
 * In SQL, a part of WITH RECURSIVE: the owners of open steps, and NULL. One look into the index for each of them:
 * 'SELECT DISTINCT owner' reads all that is open.
 */
export const everyOwner = (name: string): string => `${name} (owner) AS (
    SELECT (SELECT owner FROM flow_step WHERE ${stepIsOpen} ORDER BY owner LIMIT 1)
    UNION ALL
    SELECT (SELECT flow_step.owner FROM flow_step WHERE ${stepIsOpen} AND flow_step.owner > ${name}.owner
      ORDER BY flow_step.owner LIMIT 1) FROM ${name} WHERE ${name}.owner IS NOT NULL
  )`

const deadOwners = `WITH RECURSIVE ${everyOwner('one')}
  SELECT owner FROM one WHERE owner NOT IN ('${free}', $1) AND owner NOT IN (SELECT node_id FROM node)`

/** The owners of open steps that are no living nodes. `node` itself is one, also where it has no row. */
export const readDeadOwners = async (read: Reader, node: string): Promise<string[]> =>
  (await read.all<{ owner: string }>(deadOwners, node)).map(({ owner }) => owner)

/** Which steps of one channel are read: those that this node owns for this function. */
export interface OwnSteps {
  owner: string
  channelId: number
  functionArn: string
  /** When they may be due: no other rows are looked at. */
  dueFrom: number
  dueUntil: number
  stepsMax: number
}

/**
 * The steps that a node owns for one function and channel, those that are due first at first. Only flow_step_due bounds
 * what is read, by shard and time: every other index leads to steps that are over, so an engine must not use it, and
 * cannot where the column is part of an expression.
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

/** What tells to which channel and function a step belongs, without its run and message. */
export type OwnStepKey = Pick<
  StepRow,
  'channel_id' | 'channel_arn' | 'callback_id' | 'function_arn' | 'shard' | 'due_at' | 'deadline_at'
>

/**
 * One page of all rows that a node owns: of one shard, behind the cursor. The callback id only tells rows apart that
 * are due in the same millisecond.
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

/** More turns than this are never read at once. */
export const jobsMax = 64

const givenIds = Array.from({ length: jobsMax }, (_, index) => `$${index + 2}`).join(', ')

/** The turns of steps of one channel, in their order. A step whose message is gone has none. */
export async function readJobs(read: Reader, channelId: number, steps: readonly StepRow[]): Promise<Job[]> {
  assert(steps.length <= jobsMax)
  const last = steps.at(-1)
  if (!last) return []
  // Always as many as the statement takes, so that there is one statement.
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

/** The turn of one step, if it is open and the node's. */
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
