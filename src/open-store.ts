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

/** A file for one node alone, or a database that many share. */
export type StorePlace = { file: string } | { url: string }

/** Of a server that was started before. Nothing is made where there is none: that would only hide a wrong path. */
export function existingPlace({ databaseUrl, dataDir }: Pick<Config, 'databaseUrl' | 'dataDir'>): StorePlace {
  if (databaseUrl !== undefined) return { url: databaseUrl }
  const file = join(resolve(dataDir), storeFile)
  if (existsSync(file)) return { file }
  throw new Error(`${resolve(dataDir)} has no data yet: start the server once, or set --data-dir`)
}

/** The file of the embedded store and those that SQLite keeps beside it as long as it is open. */
export const storeFiles = (file: string): string[] => [file, `${file}-wal`, `${file}-shm`]

interface Surroundings {
  clock: Clock
  log: Pick<Log, 'warn' | 'info'>
  random(): number
  /** Given by the server alone: the store cannot go on, and the server must stop. */
  broken?(error: Error): void
  /** With `check` an old schema is refused instead of brought up to date. */
  migrations?: 'check'
}

/** The one place that knows which engines there are. Brings the schema up to date. */
export async function openStore(place: StorePlace, around: Surroundings, watch?: WatchCommit): Promise<Store> {
  const { clock, random, log, migrations, broken } = around
  if ('file' in place) {
    const owner = broken && { random, broken }
    return new SqliteStore(place.file, { clock, log, ...(watch && { watch }), ...(owner && { owner }) })
  }
  // Loaded when called for: a node alone needs no client of a database.
  const { PostgresStore } = await import('./store/postgres.ts')
  return PostgresStore.open({
    url: place.url,
    random,
    log,
    ...(migrations && { migrations }),
    ...(watch && { watch }),
  })
}

/** Copies the embedded store, which a server may be using, to a path that is free. */
export const backUpStore = backUpSqlite
