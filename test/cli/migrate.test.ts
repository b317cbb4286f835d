import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { Client } from 'pg'
import { readMigrations } from '../../src/store/migrate.ts'
import { dropDatabase, freshDatabase, noPostgres } from '../support/postgres-server.ts'
import { runCarillon } from './carillon-process.ts'

const version = readMigrations().length
const done = `The store has schema ${version}, the schema of this version.\n`

suite('carillon migrate', () => {
  test('brings the schema into an empty database, and leaves one that has it alone', {
    skip: noPostgres,
  }, async (context) => {
    const url = await freshDatabase()
    const client = new Client({ connectionString: url })
    context.after(async () => {
      await client.end()
      await dropDatabase(url)
    })
    const migrate = () => runCarillon(context, ['migrate'], { CARILLON_DATABASE_URL: url })
    assert.deepEqual(await migrate(), { status: 0, stdout: done, stderr: '' })
    await client.connect()
    const applied = async () => (await client.query('SELECT * FROM schema_migration ORDER BY version')).rows
    const before = await applied()
    assert.deepEqual(
      before.map(({ name }) => name),
      readMigrations().map(({ name }) => name),
    )
    await client.query(`INSERT INTO setting VALUES ('kept', 'as it was')`)
    assert.deepEqual(await migrate(), { status: 0, stdout: done, stderr: '' })
    assert.deepEqual(await applied(), before)
    assert.equal((await client.query(`SELECT value FROM setting WHERE name = 'kept'`)).rows[0].value, 'as it was')
  })

  test('may be started many times at once', { skip: noPostgres }, async (context) => {
    const url = await freshDatabase()
    context.after(() => dropDatabase(url))
    const all = await Promise.all(
      [1, 2, 3].map(() => runCarillon(context, ['migrate'], { CARILLON_DATABASE_URL: url })),
    )
    for (const one of all) assert.deepEqual(one, { status: 0, stdout: done, stderr: '' })
  })

  test('makes nothing where there is no data folder', async (context) => {
    const folder = await mkdtemp(join(tmpdir(), 'carillon-migrate-'))
    context.after(() => rm(folder, { recursive: true }))
    const { status, stderr } = await runCarillon(context, ['migrate', '--data-dir', folder], {})
    const complaint = `carillon: ${folder} has no data yet: start the server once, or set --data-dir\n`
    assert.deepEqual([status, stderr], [1, complaint])
  })
})
