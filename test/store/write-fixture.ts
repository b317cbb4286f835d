import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { silentLog } from '../../src/runtime/log.ts'
import { readMigrations } from '../../src/store/migrate.ts'
import { SqliteStore } from '../../src/store/sqlite.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { heldMessage, openChannel, plainMessage, tokenRow, withFlow } from '../support/rows.ts'
import { fixturePath } from './fixtures.ts'

/*
 * `node test/store/write-fixture.ts` writes a small store of today's schema as SQL. At each release the file of that
 * schema is committed and never changed again: fixtures.test.ts opens all of them with the current program.
 */

const folder = mkdtempSync(join(tmpdir(), 'carillon-fixture-'))
try {
  const path = join(folder, 'carillon.sqlite')
  const store = new SqliteStore(path, { clock: new ManualClock(0), log: silentLog })
  await openChannel(store)
  await withFlow(store, null)
  await store.commit(plainMessage({ content: '"released"' }, tokenRow()))
  await store.commit(heldMessage({ content: '"held"' }))
  await store.close()
  writeFileSync(fixturePath(readMigrations().length), dump(new DatabaseSync(path, { readOnly: true })))
} finally {
  rmSync(folder, { recursive: true })
}

/** The statements that create the same database: tables with their rows first, then indexes and views. */
function dump(database: DatabaseSync): string {
  const objects = database
    .prepare(
      `SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'`,
    )
    .all() as { type: string; name: string; sql: string }[]
  const tables = objects.filter(({ type }) => type === 'table')
  const others = objects.filter(({ type }) => type !== 'table')
  const rows = tables.flatMap(({ name }) =>
    database
      .prepare(`SELECT * FROM ${name}`)
      .all()
      .map((row) => `INSERT INTO ${name} VALUES (${Object.values(row).map(literal).join(', ')})`),
  )
  const statements = [...tables.map(({ sql }) => sql), ...rows, ...others.map(({ sql }) => sql)]
  return `${statements.join(';\n')};\n`
}

function literal(value: unknown): string {
  return value === null
    ? 'NULL'
    : typeof value === 'number'
      ? String(value)
      : `'${String(value).replaceAll("'", "''")}'`
}
