import type { WatchCommit } from './store/batcher.ts'
import { SqliteStore } from './store/sqlite.ts'
import { backUpSqlite } from './store/sqlite-backup.ts'
import type { Store } from './store/store.ts'

/** The file of the embedded store, in the data folder. */
export const storeFile = 'carillon.sqlite'

/** The one place that knows which engine there is. Brings the schema up to date. */
export const openStore = (path: string, now: number, watch?: WatchCommit): Store => new SqliteStore(path, now, watch)

/** Copies the embedded store, which a server may be using, to a path that is free. */
export const backUpStore = backUpSqlite
