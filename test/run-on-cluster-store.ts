import { runTests } from './run-tests.ts'
import { NatsServer, withoutNats } from './support/nats-server.ts'
import { noPostgres, PostgresServer } from './support/postgres-server.ts'

/*
 * `npm run test:cluster`: the tests that drive a whole server, on PostgreSQL and NATS instead of SQLite and memory. What
 * is missing is said aloud, and then its part is not run.
 */
const suites = ['api', 'reference', 'session', 'http', 'examples', 'admin'].map((room) => `test/${room}/**/*.test.ts`)

async function run(): Promise<number> {
  if (noPostgres) {
    console.log(`SKIPPED: the tests on PostgreSQL: ${noPostgres}`)
    return 0
  }
  if (withoutNats) console.log(`SKIPPED: NATS, these tests use the bus in memory: ${withoutNats}`)
  await using stack = new AsyncDisposableStack()
  const environment: NodeJS.ProcessEnv = { CARILLON_TEST_STORE: 'postgres' }
  if (process.env.CARILLON_TEST_DATABASE_URL === undefined) {
    const postgres = await PostgresServer.start({ durable: false })
    stack.defer(() => postgres.stop())
    environment.CARILLON_TEST_DATABASE_URL = postgres.url
  }
  if (!withoutNats && process.env.CARILLON_TEST_NATS_URL === undefined) {
    const nats = new NatsServer()
    stack.defer(() => nats.close())
    await nats.start()
    environment.CARILLON_TEST_NATS_URL = nats.url
  }
  return await runTests(suites, environment)
}

process.exitCode = await run()
