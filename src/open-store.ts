import { SqliteStore } from './store/sqlite.ts'
import type { Store } from './store/store.ts'

/** The file of the embedded store, in the data folder. */
export const storeFile = 'carillon.sqlite'

/** The one place that knows which engine there is. Brings the schema up to date. */
export const openStore = (path: string, now: number): Store => new SqliteStore(path, now)
