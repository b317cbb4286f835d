import type { TestContext } from 'node:test'
import { PostgresStore } from '../../src/store/postgres.ts'
import { dropDatabase, freshDatabase } from './postgres-server.ts'

/** Stores on one fresh database, like those of many nodes. The stores and the database end with the test. */
export async function createDatabaseFor(context: TestContext): Promise<DatabaseStores> {
  const stores = new DatabaseStores(await freshDatabase())
  context.after(async () => {
    await stores.close()
    await dropDatabase(stores.url)
  })
  return stores
}

export class DatabaseStores {
  readonly url: string
  readonly warnings: object[] = []
  #open: PostgresStore[] = []

  constructor(url: string) {
    this.url = url
  }

  /** One more node's store. */
  async open(): Promise<PostgresStore> {
    const log = { warn: (fields: object) => void this.warnings.push(fields) }
    const store = await PostgresStore.open({ url: this.url, random: Math.random, log })
    this.#open.push(store)
    return store
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((store) => store.close()))
  }
}
