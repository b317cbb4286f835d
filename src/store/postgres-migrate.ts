import type { Client } from 'pg'
import { type Applied, pendingMigrations, readMigrations, versionOf } from './migrate.ts'
import { StoreUnavailable } from './store.ts'

/** Any number, the same for all nodes: whoever holds it migrates. */
const migrationLock = 6_275_486_552
/** How long a node waits while another one migrates. */
const migratingMsMax = 10 * 60_000

/**
 * Brings the database's schema up to date, each migration in a transaction of its own; of many nodes that start at once
 * one does it and the others wait. With `only check` it throws where something is to be done.
 */
export async function migrate(client: Client, only: 'check' | undefined): Promise<void> {
  const applied = await readApplied(client)
  if (pendingMigrations(applied).length === 0) return
  if (only === 'check') {
    throw new Error(
      `the database has schema ${versionOf(applied)}, this Carillon needs ${readMigrations().length}: migrate it first`,
    )
  }
  while (await migrateOnce(client));
}

/** Answers whether there was anything left to do. */
async function migrateOnce(client: Client): Promise<boolean> {
  try {
    await client.query('BEGIN ISOLATION LEVEL READ COMMITTED')
    await client.query(`SET LOCAL lock_timeout = ${migratingMsMax}`)
    await client.query(`SELECT pg_advisory_xact_lock(${migrationLock})`)
    const [migration] = pendingMigrations(await readApplied(client))
    if (migration) {
      await client.query(
        textFor(
          'CREATE TABLE IF NOT EXISTS schema_migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)',
        ),
      )
      await client.query(textFor(migration.sql))
      const applied =
        'INSERT INTO schema_migration VALUES ($1, $2, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)'
      await client.query(applied, [migration.version, migration.name])
    }
    await client.query('COMMIT')
    return migration !== undefined
  } catch (error) {
    // The first error is the one to tell of.
    await client.query('ROLLBACK').catch(() => {})
    throw explained(error)
  }
}

async function readApplied(client: Client): Promise<Applied[]> {
  // Not by to_regclass, which may remember from before the lock that there was none.
  const there = `SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'schema_migration'`
  if ((await client.query(there)).rowCount === 0) return []
  return (await client.query('SELECT version, name FROM schema_migration')).rows
}

/** SQLite compares text byte by byte, and so must PostgreSQL, whatever the database's locale is. */
const textFor = (sql: string): string => sql.replaceAll(/\bTEXT\b/g, 'TEXT COLLATE "C"')

function explained(error: unknown): unknown {
  const { code, message } = error as { code?: string; message?: string }
  if (code === '42501') {
    const grant = 'let its owner migrate, or grant CREATE on the database and its schema'
    return new Error(`the database's user may not bring the schema up to date (${message}): ${grant}`, { cause: error })
  }
  if (code !== '55P03') return error
  return new StoreUnavailable(`another node has been migrating the database for ${migratingMsMax} ms`, { cause: error })
}
