import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readMigrations } from '../../src/store/migrate.ts'
import { translated } from '../../src/store/postgres-migrate.ts'
import { sharedText } from '../../src/store/postgres-reads.ts'
import {
  acceptMessages,
  acceptUpdates,
  decideSteps,
  recordHandOffs,
  takeDueSteps,
  takeOrphans,
} from '../../src/store/postgres-sql.ts'

/*
 * The statements for PostgreSQL are generated from lists of columns. The snapshot has their text, so that a reviewer
 * sees the effect of a change on them.
 */

const snapshot = join(import.meta.dirname, 'postgres-statements.sql')

const hotWrites = [acceptMessages, acceptUpdates, decideSteps, recordHandOffs, takeDueSteps, takeOrphans]
const statements = [
  ...hotWrites.map(({ name, text }) => ({ name, text })),
  {
    name: 'a read that several callers share',
    text: sharedText('SELECT name FROM app_instance_user WHERE app_instance_user_arn = $1 AND user_id > $2', 'ti'),
  },
  ...readMigrations().map(({ name, sql }) => ({ name, text: translated(sql) })),
]

test('the statements for PostgreSQL match the snapshot', () => {
  const now = statements.map(({ name, text }) => `-- ${name}\n\n${text.trim()}\n`).join('\n\n')
  if (process.env.CARILLON_UPDATE_SNAPSHOTS === '1') writeFileSync(snapshot, now)
  assert.equal(
    now,
    readFileSync(snapshot, 'utf8'),
    'CARILLON_UPDATE_SNAPSHOTS=1 node --test test/store/postgres-statements.test.ts writes them anew',
  )
})
