import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { NatsServer, withoutNats } from './support/nats-server.ts'
import { noPostgres, PostgresServer } from './support/postgres-server.ts'

/*
 * `npm run test:cluster`: the tests that drive a whole server, on PostgreSQL and NATS instead of SQLite and memory. What
 * is missing is said aloud, and then its part is not run.
 */
const suites = ['api', 'reference', 'session', 'http', 'examples', 'admin'].map((room) => `test/${room}/**/*.test.ts`)

/** Answers the exit code of node --test. */
async function runSuites(environment: NodeJS.ProcessEnv): Promise<number> {
  const args = ['--test', '--test-timeout=120000', '--test-concurrency=2', ...suites]
  const child = spawn(process.execPath, args, { env: { ...process.env, ...environment }, stdio: 'inherit' })
  const [status] = await once(child, 'close')
  return status ?? 1
}

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
  return await runSuites(environment)
}

process.exitCode = await run()
