import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import type { PostgresStore } from '../../src/store/postgres.ts'
import { StoreUnavailable, type Value } from '../../src/store/store.ts'
import { noPostgres } from '../support/postgres-server.ts'
import { createDatabaseFor } from '../support/postgres-store.ts'
import { heldMessage, openChannel } from '../support/rows.ts'
import { until } from '../support/until.ts'

/** Identifies the statement that has read a row. */
const statement = 'pg_current_xact_id()::text AS statement'

const openStore = async (context: TestContext): Promise<PostgresStore> => (await createDatabaseFor(context)).open()

/** Five rows: a number, a text that may be null, and a truth. */
async function withNumbers(store: PostgresStore): Promise<void> {
  const rows =
    "(5, 'five', TRUE), (3, 'it''s', FALSE), (4, NULL, TRUE), (1, '\u{1f514}\ufffd\ufffd', FALSE), (2, '', TRUE)"
  await store.transaction(async (transaction) => {
    await transaction.run('CREATE TABLE number (n BIGINT PRIMARY KEY, word TEXT COLLATE "C", odd BOOLEAN)')
    await transaction.run(`INSERT INTO number VALUES ${rows}`)
  })
}

/** The rows of each read alone, and of all reads in one turn of the event loop. */
async function aloneAndShared(
  store: PostgresStore,
  sql: string,
  all: Value[][],
): Promise<[alone: unknown, shared: unknown]> {
  const alone: unknown[] = []
  for (const values of all) alone.push(await store.read.all(sql, ...values))
  return [alone, await Promise.all(all.map((values) => store.read.all(sql, ...values)))]
}

suite('reads of one turn on PostgreSQL', { skip: noPostgres }, () => {
  test('share a statement if their texts are equal, and each gets its own rows', async (context) => {
    const store = await openStore(context)
    await withNumbers(store)
    const sql = `SELECT n, ${statement} FROM number WHERE n > $1 ORDER BY n`
    const read = (least: number) => store.read.all<{ n: number; statement: string }>(sql, least)
    const other = `SELECT n, ${statement} FROM number WHERE n = $1`
    const [one, two, none, twin, another] = await Promise.all([
      read(3),
      read(1),
      read(9),
      read(3),
      store.read.get<{ statement: string }>(other, 3),
    ])
    const numbersOf = (rows: { n: number }[]) => rows.map(({ n }) => n)
    assert.deepEqual([one, two, none, twin].map(numbersOf), [[4, 5], [2, 3, 4, 5], [], [4, 5]])
    assert.equal(new Set([...one, ...two, ...twin].map((row) => row.statement)).size, 1)
    assert.notEqual(another?.statement, one[0]?.statement)
    const [later] = await read(3)
    assert.notEqual(later?.statement, one[0]?.statement, 'nothing is kept')
  })

  test('return the same rows as alone: numbers, texts, nulls, truths, order and limits', async (context) => {
    const store = await openStore(context)
    await withNumbers(store)
    const cases: { sql: string; values: Value[][] }[] = [
      { sql: 'SELECT * FROM number ORDER BY n DESC LIMIT $1', values: [[2], [0], [5], [1]] },
      { sql: 'SELECT n, n AS n, word FROM number ORDER BY word NULLS LAST, $1::bigint', values: [[1], [2]] },
      {
        sql: 'SELECT n FROM number WHERE word = $1',
        values: [["it's"], ['\0\ud800\udfff'], ['\u{1f514}\0\ud800'], ['']],
      },
      {
        sql: "SELECT n FROM number WHERE coalesce(word, '-') = coalesce($1, '-')",
        values: [[null], [''], ['five'], [null]],
      },
      {
        sql: 'SELECT n, $2::text AS word FROM number WHERE n = $1',
        values: [
          [1, null],
          [2, null],
          [3, 'x'],
        ],
      },
      {
        sql: 'SELECT count(*) AS count, max(n) AS most FROM number WHERE n < $1',
        values: [[3], [0], [2 ** 53 - 1], [-5]],
      },
      {
        sql: 'SELECT n FROM number WHERE n IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) AND odd',
        values: [
          [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
          [5, 5, 5, 5, 5, 5, 5, 5, 5, 2],
        ],
      },
      {
        sql: 'WITH more AS (SELECT n FROM number WHERE n > $1) SELECT n FROM more UNION ALL SELECT 0 ORDER BY n DESC',
        values: [[4], [1]],
      },
    ]
    for (const { sql, values } of cases) {
      const [alone, shared] = await aloneAndShared(store, sql, values)
      assert.deepEqual(shared, alone, sql)
      assert.ok(
        (alone as Value[][]).some((rows) => rows.length > 0),
        `${sql} brings rows`,
      )
    }
  })

  test('fail separately for wrong values', async (context) => {
    const store = await openStore(context)
    const divide = (by: number) => store.read.get<{ whole: number }>('SELECT 12 / $1::bigint AS whole', by)
    const settled = await Promise.allSettled([divide(3), divide(0), divide(1.5), divide(Number.NaN), divide(4)])
    assert.deepEqual(
      settled.map((one) => (one.status === 'fulfilled' ? one.value?.whole : String(one.reason.message))),
      [
        4,
        'division by zero',
        'invalid input syntax for type bigint: "1.5"',
        'invalid input syntax for type bigint: "NaN"',
        3,
      ],
    )
  })

  test('return rows that their caller may change', async (context) => {
    const store = await openStore(context)
    await withNumbers(store)
    const read = (n: number) => store.read.get<{ word: string }>('SELECT word FROM number WHERE n = $1', n)
    const [one, two, three] = await Promise.all([read(5), read(5), read(3)])
    assert.ok(one && two && three)
    one.word = 'changed'
    assert.deepEqual([two.word, three.word], ['five', "it's"])
  })

  test('all get their rows, in any number', async (context) => {
    const store = await openStore(context)
    const read = (n: number) =>
      store.read.get<{ n: number; statement: string }>(`SELECT $1::bigint AS n, ${statement}`, n)
    const rows = await Promise.all(Array.from({ length: 1_000 }, (_, n) => read(n)))
    assert.deepEqual(
      rows.map((row) => row?.n),
      rows.map((_, n) => n),
    )
    const sharers = Map.groupBy(rows, (row) => row?.statement)
    assert.ok(sharers.size < 100, `${sharers.size} statements`)
    for (const { length } of sharers.values()) assert.ok(length <= 32, `${length} share a statement`)
  })

  test('are rejected beyond the maximum of waiting reads', async (context) => {
    const store = await openStore(context)
    const asked = Array.from({ length: 10_001 }, (_, n) => store.read.get('SELECT $1::bigint AS n', n))
    const settled = await Promise.allSettled(asked)
    const rejected = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
    assert.equal(rejected.length, 1)
    assert.ok(rejected[0] instanceof StoreUnavailable)
  })

  test('succeed after a newer node has changed the table', async (context) => {
    const store = await openStore(context)
    await withNumbers(store)
    const sql = 'SELECT * FROM number WHERE n = $1'
    const read = () => Promise.all([5, 3].map((n) => store.read.get(sql, n)))
    const before = [await read(), await store.read.get(sql, 2)]
    await store.transaction((transaction) => transaction.run('ALTER TABLE number ADD COLUMN more BIGINT'))
    const after = [await read(), await store.read.get(sql, 2)]
    assert.deepEqual(
      after.flat(),
      before.flat().map((row) => ({ ...(row as object), more: null })),
    )
  })
})

test('a message is looked up by its key soon after the start with an empty database', {
  skip: noPostgres,
}, async (context) => {
  const store = await openStore(context)
  await openChannel(store)
  await store.transaction(async (transaction) => {
    for (const table of ['channel_message', 'flow_run', 'flow_step']) {
      await transaction.run(`ALTER TABLE ${table} SET (autovacuum_enabled = off)`)
    }
  })
  await Promise.all(Array.from({ length: 1_000 }, () => store.commit(heldMessage())))
  const analyzed = `SELECT 1 FROM pg_class WHERE relname = 'channel_message' AND reltuples > 0`
  await until(async () => (await store.read.get(analyzed)) !== undefined)
  const key = `channel_id = 1 AND message_id = 'x'`
  const plan = await store.read.all<{ 'QUERY PLAN': string }>(`EXPLAIN SELECT * FROM channel_message WHERE ${key}`)
  assert.match(plan.map((row) => row['QUERY PLAN']).join('\n'), /Index Scan using channel_message_pkey/)
})
