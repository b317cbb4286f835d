import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { DecideStep } from '../../src/store/changes.ts'
import { pendingMigrations, readMigrations } from '../../src/store/migrate.ts'
import { type Store, StoreUnavailable } from '../../src/store/store.ts'
import { changeAfter, heldMessage, openChannel, plainMessage, readJob } from '../support/rows.ts'
import { createStoreFile } from '../support/store-file.ts'
import { storeSuite } from './store-suite.ts'
import { openTransaction } from './transaction-cases.ts'

storeSuite('SQLite', async (context) => {
  const file = await createStoreFile(context)
  return { store: await file.open(), reopen: () => file.open() }
})

test('a fresh file gets every migration, with the time of its opening', async (context) => {
  const file = await createStoreFile(context)
  assert.deepEqual(
    await appliedMigrations(await file.open(1_234)),
    readMigrations().map(({ version, name }) => `${version} ${name} at 1234`),
  )
})

test('a file that is opened again keeps its rows and repeats no migration', async (context) => {
  const file = await createStoreFile(context)
  const first = await file.open(1)
  await openChannel(first)
  await first.commit(plainMessage())
  const applied = await appliedMigrations(first)
  const second = await file.open(2)
  assert.deepEqual(await appliedMigrations(second), applied)
  assert.equal((await second.read.all('SELECT 1 FROM channel_message')).length, 1)
})

test('a file of a newer Carillon is rejected, with what to do about it', async (context) => {
  const file = await createStoreFile(context)
  await file.open()
  await file.close()
  const database = new DatabaseSync(file.path)
  database.exec(`INSERT INTO schema_migration VALUES (999, '999-of-the-future.sql', 0)`)
  database.close()
  await assert.rejects(file.open(), /has schema 999, but .* knows only \d+: .* newer one, start that/)
})

test('migrations are numbered from 1 without a gap, and only those that a store lacks are pending', () => {
  const migrations = readMigrations()
  assert.ok(migrations.length > 0)
  assert.deepEqual(
    migrations.map(({ name }) => Number.parseInt(name, 10)),
    migrations.map((_, index) => index + 1),
  )
  assert.deepEqual(pendingMigrations([]), migrations)
  assert.deepEqual(pendingMigrations(migrations), [])
})

test('a file from before the first release is rejected with one clear line', async (context) => {
  const file = await createStoreFile(context)
  const database = new DatabaseSync(file.path)
  database.exec(`CREATE TABLE schema_migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL);
    INSERT INTO schema_migration VALUES (1, '001-initial.sql', 0), (2, '002-updates-and-keys.sql', 0), (3, '003-many-nodes.sql', 0)`)
  database.close()
  await assert.rejects(
    file.open(),
    /from before its first release \(001-initial\.sql\).*: start with an empty data folder/,
  )
})

test('a denied text is not on the disk after the store is closed', async (context) => {
  const file = await createStoreFile(context)
  const store = await file.open()
  await openChannel(store)
  const held = heldMessage({ content: '"a text that nobody may see"' })
  await store.commit(held)
  const job = await readJob(store.read, held.flow.step.callback_id)
  await store.commit(changeAfter(job, { type: 'Verdict', deny: true, text: {} }, 1) as DecideStep)
  await file.close()
  assert.ok(!(await readFile(file.path)).includes('a text that nobody may see'))
})

test('every other write waits for an open transaction', async (context) => {
  const store = await (await createStoreFile(context)).open()
  await openChannel(store)
  const order: string[] = []
  await using open = await openTransaction(store)
  const second = store.transaction(async (transaction) => {
    order.push('the second begins')
    await transaction.all('SELECT 1')
    order.push('the second ends')
  })
  const third = store.transaction(async () => void order.push('the third'))
  const message = store.commit(plainMessage()).then(() => order.push('the message'))
  await new Promise(setImmediate)
  await open.work(async () => void order.push('the first'))
  await open.end()
  await Promise.all([second, third, message])
  assert.deepEqual(order.slice(0, 4), ['the first', 'the second begins', 'the second ends', 'the third'])
  assert.equal(order.length, 5)
})

test('commits are reported in their order', async (context) => {
  const store = await (await createStoreFile(context)).open()
  await openChannel(store)
  const told: (number | undefined)[] = []
  store.onCommit(({ events }) => told.push(...events.map(({ seq }) => seq)))
  await Promise.all(Array.from({ length: 300 }, () => store.commit(plainMessage())))
  assert.deepEqual(
    told,
    told.map((_, index) => index + 1),
  )
  assert.equal(told.length, 300)
})

test('while another process writes, a write is rejected at once as retryable', async (context) => {
  const file = await createStoreFile(context)
  const store = await file.open()
  await openChannel(store)
  const stranger = new DatabaseSync(file.path)
  stranger.exec('BEGIN IMMEDIATE')
  await assert.rejects(store.commit(plainMessage()), StoreUnavailable)
  await assert.rejects(
    store.transaction((transaction) => transaction.run('DELETE FROM setting')),
    StoreUnavailable,
  )
  stranger.exec('ROLLBACK')
  stranger.close()
  assert.equal((await store.commit(plainMessage())).result, 'accepted')
})

test('acknowledged writes survive a kill of the process', async (context) => {
  const file = await createStoreFile(context)
  await openChannel(await file.open())
  await file.close()
  const acknowledged = await killAfter(file.path, 500)
  const { read } = await file.open()
  const rows = await read.all<{ message_id: string; seq: number }>('SELECT * FROM channel_message ORDER BY seq')
  const stored = new Set(rows.map((row) => row.message_id))
  assert.ok(acknowledged.length >= 500)
  assert.deepEqual(
    acknowledged.filter((id) => !stored.has(id)),
    [],
  )
  assert.deepEqual(
    rows.map(({ seq }) => seq),
    rows.map((_, index) => index + 1),
  )
})

/** Lets another process commit until it has acknowledged so many messages, kills it, and returns all their ids. */
async function killAfter(path: string, acknowledgedMin: number): Promise<string[]> {
  const program = fileURLToPath(new URL('../support/commit-forever.ts', import.meta.url))
  const child = spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  const acknowledged: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.push(line)
    if (acknowledged.length === acknowledgedMin) child.kill('SIGKILL')
  }
  assert.deepEqual(await closed, [null, 'SIGKILL'])
  return acknowledged
}

async function appliedMigrations({ read }: Store): Promise<string[]> {
  const rows = await read.all<{ version: number; name: string; applied_at: number }>('SELECT * FROM schema_migration')
  return rows.map(({ version, name, applied_at }) => `${version} ${name} at ${applied_at}`)
}
