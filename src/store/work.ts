import type { Reader, Transaction } from './store.ts'

/*
 * Background work as rows. A piece of work is one transaction: it acquires the row, handles a limited number of rows, and
 * moves the cursor. A crash between two pieces loses nothing, and any node continues.
 *
 *   scheduled ──due──► a piece ──► done: the row is deleted
 *       ▲                │  ▲
 *       │                │  └── more: the node owns the row, and does the next piece
 *       └──── later ─────┘
 *
 * As with steps, a node never takes work that another living node owns. Each piece acquires the row again, and does
 * nothing if another node has become the owner.
 */

/** The kinds of work. src/upkeep/ has a file for each. */
export const workKinds = [
  'attach-flow',
  'purge-channel',
  'expire-channel',
  'remove-user',
  'expire-user',
  'remove-app-instance',
  'retention',
  'trim',
  'forget-tokens',
  'forget-audit',
] as const

export type WorkKind = (typeof workKinds)[number]

export interface WorkRow {
  kind: WorkKind
  subject: string
  due_at: number
  owner: string
  cursor_json: string | null
  failure: string | null
}

/** The result of a piece of work. */
export type Progress =
  | { state: 'done' }
  | { state: 'more'; cursor: object }
  | { state: 'later'; dueAt: number; cursor?: object }

type WorkKey = Pick<WorkRow, 'kind' | 'subject'>

/** Schedules work for `dueAt`. Work that exists starts again from its beginning. */
export async function scheduleWork(transaction: Transaction, { kind, subject }: WorkKey, dueAt: number): Promise<void> {
  await transaction.run(
    `INSERT INTO work (kind, subject, due_at, owner) VALUES ($1, $2, $3, '')
     ON CONFLICT (kind, subject) DO UPDATE SET due_at = $3, cursor_json = NULL, failure = NULL`,
    kind,
    subject,
    dueAt,
  )
}

export async function cancelWork(transaction: Transaction, { kind, subject }: WorkKey): Promise<void> {
  await transaction.run('DELETE FROM work WHERE kind = $1 AND subject = $2', kind, subject)
}

/** In SQL: no other living node owns the work. The store of a single node has no rows in `node`. */
const isFree = (node: string) => `(owner IN ('', ${node}) OR owner NOT IN (SELECT node_id FROM node))`

/** The subject of the oldest due work of this kind that the node may do. */
export async function findDueWork(
  read: Reader,
  kind: WorkKind,
  { node, now }: { node: string; now: number },
): Promise<string | undefined> {
  const row = await read.get<{ subject: string }>(
    `SELECT subject FROM work WHERE kind = $1 AND due_at <= $2 AND ${isFree('$3')} ORDER BY due_at LIMIT 1`,
    kind,
    now,
    node,
  )
  return row?.subject
}

/** Acquires the work, at least until the end of the transaction. Undefined if another node has acquired it. */
export const acquireWork = (
  transaction: Transaction,
  { kind, subject }: WorkKey,
  { node, now }: { node: string; now: number },
): Promise<WorkRow | undefined> =>
  transaction.get<WorkRow>(
    `UPDATE work SET owner = $4, failure = NULL
     WHERE kind = $1 AND subject = $2 AND due_at <= $3 AND ${isFree('$4')} RETURNING *`,
    kind,
    subject,
    now,
    node,
  )

/** Writes the result of the piece, in its transaction. */
export async function finishPiece(transaction: Transaction, { kind, subject }: WorkKey, progress: Progress) {
  if (progress.state === 'done') return cancelWork(transaction, { kind, subject })
  const cursor = progress.cursor === undefined ? null : JSON.stringify(progress.cursor)
  if (progress.state === 'more') {
    await transaction.run('UPDATE work SET cursor_json = $3 WHERE kind = $1 AND subject = $2', kind, subject, cursor)
    return
  }
  await transaction.run(
    `UPDATE work SET due_at = $3, cursor_json = $4, owner = '' WHERE kind = $1 AND subject = $2`,
    kind,
    subject,
    progress.dueAt,
    cursor,
  )
}

/** Schedules the retry of a piece that failed and was rolled back. */
export async function putOffWork(
  transaction: Transaction,
  { kind, subject }: WorkKey,
  { node, dueAt, failure }: { node: string; dueAt: number; failure: string },
): Promise<void> {
  await transaction.run(
    `UPDATE work SET due_at = $3, failure = $4, owner = ''
     WHERE kind = $1 AND subject = $2 AND ${isFree('$5')}`,
    kind,
    subject,
    dueAt,
    failure,
    node,
  )
}

/** Maximum of rows of a kind that are counted. */
const countedMax = 10_000

/** The backlog of each kind, and its lag: how long the oldest work has been due. */
export async function readDueWork(read: Reader, now: number) {
  const text = `SELECT count(*) AS due, min(due_at) AS oldest_at
    FROM (SELECT due_at FROM work WHERE kind = $1 AND due_at <= $2 ORDER BY due_at LIMIT ${countedMax}) AS due_work`
  const counts = await Promise.all(
    workKinds.map((kind) => read.get<{ due: number; oldest_at: number | null }>(text, kind, now)),
  )
  return workKinds.map((kind, index) => {
    const { due = 0, oldest_at = null } = counts[index] ?? {}
    return { kind, due, oldestSeconds: Math.max(0, now - (oldest_at ?? now)) / 1000 }
  })
}

/** Due work, the oldest first. */
export const listDueWork = (read: Reader, now: number, rowsMax: number): Promise<WorkRow[]> =>
  read.all<WorkRow>('SELECT * FROM work WHERE due_at <= $1 ORDER BY due_at LIMIT $2', now, rowsMax)

/** The next work of each kind that is not due yet. */
export async function listNextWork(read: Reader, now: number): Promise<WorkRow[]> {
  const text = 'SELECT * FROM work WHERE kind = $1 AND due_at > $2 ORDER BY due_at LIMIT 1'
  const next = await Promise.all(workKinds.map((kind) => read.get<WorkRow>(text, kind, now)))
  return next.filter((row) => row !== undefined)
}

const channelArn = 'SELECT channel_arn AS arn FROM channel_head WHERE channel_id = $1'
const userArn = 'SELECT app_instance_user_arn AS arn FROM app_instance_user WHERE user_id = $1'
/** The statement that reads the ARN of a subject that is a number. */
const arnOf: Partial<Record<WorkKind, string>> = {
  'purge-channel': channelArn,
  'expire-channel': channelArn,
  'remove-user': userArn,
  'expire-user': userArn,
}

/** The subject as the API names it. */
export async function subjectOf(read: Reader, { kind, subject }: WorkRow): Promise<string> {
  const text = arnOf[kind]
  const row = text === undefined ? undefined : await read.get<{ arn: string }>(text, Number(subject))
  return row?.arn ?? (subject === '' ? 'the store' : subject)
}
