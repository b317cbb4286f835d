import assert from 'node:assert/strict'
import { PostgresStore } from '../../src/store/postgres.ts'
import { plansOnce } from '../../src/store/postgres-connection.ts'
import type { Store, Value } from '../../src/store/store.ts'
import { addUsers } from './rows.ts'

/** Records the statements with a LIMIT that a server reads with, and asks the store for their plans. */
export class PlannedReads {
  /** The store that was opened last. */
  store!: Store
  readonly statements = new Set<string>()

  /** For startTestServer. */
  around = (opened: Store): Store => {
    this.store = opened
    const { read } = opened
    const all = read.all.bind(read)
    read.all = <Row>(sql: string, ...values: Value[]): Promise<Row[]> => {
      if (/\bLIMIT\b/.test(sql)) this.statements.add(sql)
      return all<Row>(sql, ...values)
    }
    return opened
  }

  /** Inserts rows into the AppInstance if plans depend on the data: SQLite plans without it. */
  async fill(appInstanceArn: string): Promise<void> {
    if (this.store instanceof PostgresStore) await fillAppInstance(this.store, appInstanceArn)
  }

  /** The lines of the plan by which the statement is carried out for every value that it may get. */
  async planOf(sql: string): Promise<string[]> {
    const { store } = this
    if (store instanceof PostgresStore) {
      return store.transaction(async (transaction) => {
        for (const setting of plansOnce) await transaction.run(`SET LOCAL ${setting}`)
        const lines = await transaction.all<{ 'QUERY PLAN': string }>(`EXPLAIN (GENERIC_PLAN) ${sql}`)
        return lines.map((line) => line['QUERY PLAN'].trim())
      })
    }
    const steps = await store.read.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
    return steps.map(({ detail }) => detail)
  }
}

/** A table as a whole, rows that are sorted, or rows that are read and dropped because they are of another's list. */
const slow = /Seq Scan|Sort|Filter: .*\b(app_instance_arn|privacy|channel_flow_arn) = \$|^SCAN|TEMP B-TREE/

/** Fails unless the plan finds the rows by an index, in its order. */
export function assertByIndex(plan: readonly string[], sql: string): void {
  assert.ok(plan.length > 0)
  // The statement's own values are no table.
  const values = plan.flatMap((line) => /^CO-ROUTINE (\w+)$/.exec(line)?.[1] ?? []).map((name) => `SCAN ${name}`)
  const found = plan.filter((line) => slow.test(line) && !/ CONSTANT ROWS?$/.test(line) && !values.includes(line))
  assert.deepEqual(found, [], `${sql}\nis carried out as\n${plan.join('\n')}`)
}

/**
 * Rows enough that PostgreSQL chooses between its indexes: one AppInstance has nearly all users and channels, and one
 * of its users nearly all memberships and moderator roles.
 */
async function fillAppInstance(store: Store, appInstanceArn: string, count = 20_000): Promise<void> {
  await addUsers(store, appInstanceArn, count)
  await store.write(
    `INSERT INTO channel_head (channel_arn, next_seq, last_created_at, members)
     SELECT $1 || '/channel/row-' || n, 1, 0, 1 FROM generate_series(1, $2) AS n`,
    appInstanceArn,
    count,
  )
  const heads = [`${appInstanceArn}/channel/row-%`] as const
  await store.write(
    `INSERT INTO channel (channel_id, channel_arn, app_instance_arn, name, mode, privacy, created_by_arn, created_by_name,
       created_at, updated_at)
     SELECT channel_id, channel_arn, $2, '"Row"', 'RESTRICTED', 'PRIVATE', '', '""', 0, 0
     FROM channel_head WHERE channel_arn LIKE $1`,
    ...heads,
    appInstanceArn,
  )
  const user = (await store.read.get<{ user_id: number }>('SELECT max(user_id) AS user_id FROM app_instance_user'))!
  await store.write(
    `INSERT INTO channel_membership (channel_id, member_id, type, invited_by_arn, invited_by_name, joined_seq, created_at,
       updated_at)
     SELECT channel_id, $2, 'DEFAULT', '', '""', 1, 0, 0 FROM channel_head WHERE channel_arn LIKE $1`,
    ...heads,
    user.user_id,
  )
  await store.write(
    `INSERT INTO channel_moderator (channel_id, moderator_id, created_by_arn, created_by_name, created_at)
     SELECT channel_id, $2, '', '""', 0 FROM channel_head WHERE channel_arn LIKE $1`,
    ...heads,
    user.user_id,
  )
  await store.write('ANALYZE')
}
