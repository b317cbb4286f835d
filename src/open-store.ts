import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Config } from './config.ts'
import type { Clock } from './runtime/clock.ts'
import type { Log } from './runtime/log.ts'
import type { WatchCommit } from './store/batcher.ts'
import { SqliteStore } from './store/sqlite.ts'
import { backUpSqlite } from './store/sqlite-backup.ts'
import type { Store } from './store/store.ts'

/** The file of the embedded store, in the data folder. */
export const storeFile = 'carillon.sqlite'

/** A file for one node, or a database that nodes share. */
export type StoreLocation = { file: string } | { url: string }

/** The store of a server that was started before. A missing store is not created: that would only hide a wrong path. */
export function existingStore({ databaseUrl, dataDir }: Pick<Config, 'databaseUrl' | 'dataDir'>): StoreLocation {
  if (databaseUrl !== undefined) return { url: databaseUrl }
  const file = join(resolve(dataDir), storeFile)
  if (existsSync(file)) return { file }
  throw new Error(`${resolve(dataDir)} has no data yet: start the server once, or set --data-dir`)
}

/** The file of the embedded store, and the files that SQLite keeps beside it as long as it is open. */
export const storeFiles = (file: string): string[] => [file, `${file}-wal`, `${file}-shm`]

interface Surroundings {
  clock: Clock
  log: Pick<Log, 'warn' | 'info'>
  random(): number
  /** Passed by the server only: the store cannot continue, and the server must stop. */
  broken?(error: Error): void
  /** With `check` an old schema is rejected instead of migrated. */
  migrations?: 'check'
}

/** The only module that knows the engines. Migrates the schema. */
export async function openStore(location: StoreLocation, around: Surroundings, watch?: WatchCommit): Promise<Store> {
  const { clock, random, log, migrations, broken } = around
  if ('file' in location) {
    const owner = broken && { random, broken }
    return new SqliteStore(location.file, { clock, log, ...(watch && { watch }), ...(owner && { owner }) })
  }
  // Loaded on demand: a single node needs no client of a database.
  const { PostgresStore } = await import('./store/postgres.ts')
  return PostgresStore.open({
    url: location.url,
    random,
    log,
    ...(migrations && { migrations }),
    ...(watch && { watch }),
  })
}

/** Copies the embedded store, also while a server uses it, to a path without a file. */
export const backUpStore = backUpSqlite
