import { suite } from 'node:test'
import { noPostgres } from '../support/postgres-server.ts'
import { createDatabaseFor } from '../support/postgres-store.ts'
import { storeSuite } from './store-suite.ts'

suite('the store on PostgreSQL', { skip: noPostgres }, () => {
  storeSuite('PostgreSQL', async (context) => {
    const database = await createDatabaseFor(context)
    const reopen = async () => {
      await database.close()
      return database.open()
    }
    return { store: await database.open(), reopen }
  })
})
