import type { Log } from './runtime/log.ts'
import { PostgresStore } from './store/postgres.ts'
import { SqliteStore } from './store/sqlite.ts'
import type { Store } from './store/store.ts'

/** The file of the embedded store, in the data folder. */
export const storeFile = 'carillon.sqlite'

/** A file for one node alone, or a database that many share. */
export type StorePlace = { file: string } | { url: string }

interface Surroundings {
  now: number
  random(): number
  log: Pick<Log, 'warn'>
}

/** The one place that knows which engines there are. Brings the schema up to date. */
export async function openStore(place: StorePlace, { now, random, log }: Surroundings): Promise<Store> {
  return 'file' in place ? new SqliteStore(place.file, now) : PostgresStore.open({ url: place.url, random, log })
}
