import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { array, asyncProperty, assert as check, constantFrom, integer, record } from 'fast-check'
import type { Change } from '../../src/store/changes.ts'
import { stepColumns } from '../../src/store/columns.ts'
import { readMigrations } from '../../src/store/migrate.ts'
import type { PostgresStore } from '../../src/store/postgres.ts'
import { groupByKind } from '../../src/store/postgres-changes.ts'
import { noPostgres } from '../support/postgres-server.ts'
import { createDatabaseFor, type DatabaseStores } from '../support/postgres-store.ts'
import {
  ana,
  ben,
  changeAfter,
  channel,
  heldMessage,
  lobby,
  membershipOf,
  numberOf,
  openChannel,
  plainMessage,
  readJob,
  tokenRow,
  user,
  verdictOn,
} from '../support/rows.ts'

const openMany = (database: DatabaseStores, count: number): Promise<PostgresStore[]> =>
  Promise.all(Array.from({ length: count }, () => database.open()))

suite('many nodes on one PostgreSQL', { skip: noPostgres }, () => {
  test('migrate it once if they start together', async (context) => {
    const database = await createDatabaseFor(context)
    const [store] = await openMany(database, 8)
    const applied = await store?.read.all<{ version: number }>('SELECT version FROM schema_migration ORDER BY version')
    assert.deepEqual(
      applied?.map(({ version }) => version),
      readMigrations().map(({ version }) => version),
    )
  })

  test('take 10,000 steps of a dead node with 8 claimers: each exactly once', async (context) => {
    const database = await createDatabaseFor(context)
    const stores = await openMany(database, 8)
    const [first] = stores as [PostgresStore]
    const channels = Array.from({ length: 50 }, (_, index) => channel(`room-${index}`))
    for (const channelArn of channels) await openChannel(first, channelArn)
    const [template] = [heldMessage({ channel_arn: channels[0] as string })]
    await first.commit(template)
    await multiply(first, 10_000)
    const claims = await Promise.all(
      stores.map(async (store, index) => {
        const taken: string[] = []
        const owner = `claimer-${index}`
        const ask = { kind: 'TakeSteps', owner, deadNode: 'node-1', now: 1e12, againAt: 2e12, stepsMax: 100 } as const
        for (let empty = 0; empty < 3; ) {
          const jobs = await store.commit(ask)
          // There may be no free step at a moment at which others have locked it.
          empty = jobs.length === 0 ? empty + 1 : 0
          taken.push(...jobs.map(({ step }) => step.callback_id))
        }
        return taken
      }),
    )
    const taken = claims.flat()
    assert.equal(new Set(taken).size, taken.length, 'none is taken twice')
    assert.equal(taken.length, 10_000, 'none is left')
    assert.ok(claims.filter((claim) => claim.length > 0).length > 1, 'several took part')
    const owned = await first.read.all<{ owner: string; count: number }>(
      'SELECT owner, count(*) AS count FROM flow_step GROUP BY owner',
    )
    for (const { owner, count } of owned) assert.equal(claims[Number(owner.slice('claimer-'.length))]?.length, count)
  })

  test('number the messages of one channel without a gap, accept each token once, and one verdict for each step', async (context) => {
    const database = await createDatabaseFor(context)
    const stores = await openMany(database, 3)
    const [first] = stores as [PostgresStore]
    const sends = record({
      store: integer({ min: 0, max: 2 }),
      sender: constantFrom(ana, ben, user('stranger')),
      token: integer({ min: 0, max: 4 }),
      room: integer({ min: 0, max: 2 }),
    })
    let round = 0
    await check(
      asyncProperty(array(sends, { minLength: 1, maxLength: 60 }), async (list) => {
        round += 1
        const rooms = [0, 1, 2].map((index) => channel(`room-${round}-${index}`))
        for (const room of rooms) await openChannel(first, room)
        const held = heldMessage({ channel_arn: rooms[0] as string })
        await first.commit(held)
        const job = await readJob(first.read, held.flow.step.callback_id)
        const verdicts = stores.map((store, index) =>
          store.commit(verdictOn(job, { text: { content: `"${index}"` } }, 1)),
        )
        const outcomes = await Promise.all(
          list.map(({ store, sender, token, room }, index) => {
            const channel_arn = rooms[room] as string
            const given = { channel_arn, sender_arn: sender, created_at: index }
            const row = tokenRow({ token_key: `${channel_arn} ${sender} ${token}` })
            return (stores[store] as PostgresStore).commit(plainMessage(given, token === 0 ? undefined : row))
          }),
        )
        for (const [index, room] of rooms.entries()) {
          const accepted = outcomes.flatMap((outcome, at) =>
            outcome.result === 'accepted' && list[at]?.room === index ? [outcome.message] : [],
          )
          const log = await first.read.all<{ seq: number; created_at: number }>(
            'SELECT seq, created_at FROM channel_log WHERE channel_id = $1 ORDER BY seq',
            numberOf(room),
          )
          assert.equal(log.length, accepted.length + (index === 0 ? 2 : 0))
          assert.deepEqual(
            log.map(({ seq }) => seq),
            log.map((_, at) => at + 1),
          )
          const rows = await first.read.all<{ seq: number; created_at: number }>(
            'SELECT seq, created_at FROM channel_message WHERE channel_id = $1 ORDER BY seq',
            numberOf(room),
          )
          assert.deepEqual(
            rows.map(({ created_at }) => created_at),
            rows.map(({ created_at }) => created_at).toSorted((a, b) => a - b),
          )
        }
        const byToken = Map.groupBy(list.keys(), (at) => {
          const { sender, token, room } = list[at] as (typeof list)[number]
          return sender === user('stranger') ? 'stranger' : token === 0 ? 'none' : `${room} ${sender} ${token}`
        })
        for (const [key, places] of byToken) {
          const accepted = places.filter((at) => outcomes[at]?.result === 'accepted').length
          assert.equal(accepted, key === 'stranger' ? 0 : key === 'none' ? places.length : 1, key)
        }
        const results = (await Promise.all(verdicts)).map(({ result }) => result)
        assert.deepEqual(results.sort(), ['decided', 'rejected', 'rejected'])
      }),
      { numRuns: 15 },
    )
  })

  test('have conflicting transactions that are serializable', async (context) => {
    const database = await createDatabaseFor(context)
    const stores = await openMany(database, 4)
    const [first] = stores as [PostgresStore]
    await first.transaction((transaction) => transaction.insert('setting', { name: 'count', value: '0' }))
    let runs = 0
    const increments = Array.from({ length: 24 }, (_, index) =>
      (stores[index % 4] as PostgresStore).transaction(async (transaction) => {
        runs += 1
        const row = await transaction.get<{ value: string }>(`SELECT value FROM setting WHERE name = 'count'`)
        const next = String(Number(row?.value) + 1)
        await transaction.run(`UPDATE setting SET value = $1 WHERE name = 'count'`, next)
      }),
    )
    const settled = await Promise.allSettled(increments)
    const done = settled.filter(({ status }) => status === 'fulfilled').length
    const row = await first.read.get<{ value: string }>(`SELECT value FROM setting WHERE name = 'count'`)
    assert.equal(row?.value, String(done))
    assert.ok(done >= 20, `${done} of 24 came through`)
    assert.ok(runs > done, 'some were tried again')
  })

  test('insert one row once, and the second finds it', async (context) => {
    const database = await createDatabaseFor(context)
    const stores = await openMany(database, 4)
    const answers = await Promise.all(
      stores.map((store, index) =>
        store.transaction(async (transaction) => {
          const known = await transaction.get<{ value: string }>(`SELECT value FROM setting WHERE name = 'first'`)
          if (known) return known.value
          await transaction.insert('setting', { name: 'first', value: String(index) })
          return String(index)
        }),
      ),
    )
    assert.equal(new Set(answers).size, 1)
  })

  test('a message of a member that is removed while its batch waits is rejected', async (context) => {
    const database = await createDatabaseFor(context)
    const [one, two] = (await openMany(database, 2)) as [PostgresStore, PostgresStore]
    await openChannel(one)
    const removed = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    const removal = one.transaction(async (transaction) => {
      const { channel_id, member_id } = membershipOf(lobby, ana)
      const sql = 'DELETE FROM channel_membership WHERE channel_id = $1 AND member_id = $2'
      await transaction.run(sql, channel_id, member_id)
      removed.resolve()
      await goOn.promise
    })
    await removed.promise
    const sending = two.commit(plainMessage())
    await waitUntilLocked(one)
    goOn.resolve()
    await removal
    assert.deepEqual(await sending, { result: 'rejected', because: 'sender is no member' })
  })

  test('compare text byte by byte, with any locale', async (context) => {
    const store = await (await createDatabaseFor(context)).open()
    const names = ['a', 'B', 'ä', 'Z', '\u{1f514}', '\uffee', '_', '-']
    for (const name of names)
      await store.transaction((transaction) => transaction.insert('setting', { name, value: '' }))
    const rows = await store.read.all<{ name: string }>('SELECT name FROM setting ORDER BY name')
    assert.deepEqual(
      rows.map(({ name }) => name),
      names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    )
    const other = await store.read.all(
      `SELECT column_name FROM information_schema.columns
       WHERE table_schema = 'public' AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'`,
    )
    assert.deepEqual(other, [])
  })
})

test('changes of one batch share statements by their kind, and two changes of one row keep their order', () => {
  const [one, two] = [heldMessage(), heldMessage()]
  const job = (held: typeof one) => ({ ...held.flow, message: { ...held.message, seq: 1 } })
  const decide = (held: typeof one) => verdictOn(job(held))
  const crash = (held: typeof one) => changeAfter(job(held), { type: 'Crashed', reason: '' }, 1)
  const take = { kind: 'TakeSteps', owner: '', deadNode: undefined, now: 0, againAt: 0, stepsMax: 1 } as const
  const groups = (changes: Change[]) =>
    groupByKind(changes).map(({ kind, members }) => `${kind} ${members.map(({ batchIndex }) => batchIndex).join(' ')}`)
  assert.deepEqual(groups([plainMessage(), decide(one), plainMessage(), decide(two), decide(one)]), [
    'AcceptMessage 0 2',
    'DecideStep 1 3 4',
  ])
  assert.deepEqual(groups([decide(one), crash(one), decide(two)]), ['DecideStep 0 2', 'RecordHandOff 1'])
  assert.deepEqual(groups([crash(one), decide(one), crash(one), crash(one)]), [
    'RecordHandOff 0',
    'DecideStep 1',
    'RecordHandOff 2',
    'RecordHandOff 3',
  ])
  assert.deepEqual(groups([decide(one), take, decide(two), take]), [
    'DecideStep 0',
    'TakeSteps 1',
    'DecideStep 2',
    'TakeSteps 3',
  ])
})

/** Copies the open step so many times, in all shards. */
async function multiply(store: PostgresStore, count: number): Promise<void> {
  const others = stepColumns.filter((column) => !['callback_id', 'shard'].includes(column))
  await store.transaction((transaction) =>
    transaction.run(
      `INSERT INTO flow_step (callback_id, shard, ${others.join(', ')})
       SELECT 'copy-' || n, n % 64, ${others.join(', ')} FROM flow_step, generate_series(2, $1) n`,
      count,
    ),
  )
}

/** Resolves when a connection of the database waits for a lock of another one. */
async function waitUntilLocked(store: PostgresStore): Promise<void> {
  const sql = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
  for (let looks = 1; !(await store.read.get(sql)); looks += 1) assert.ok(looks < 10_000, 'nobody waits for the lock')
}
