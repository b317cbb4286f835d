import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { runTests } from './run-tests.ts'
import { NatsServer, withoutNats } from './support/nats-server.ts'
import { noPostgres, PostgresServer } from './support/postgres-server.ts'

/*
 * `npm run test:cluster`: the tests that drive a whole server, on PostgreSQL and NATS instead of SQLite and memory. What
 * is missing is said aloud, and then its part is not run.
 *
 * With `first` it runs those of messages and flows, which `npm test` does; with `others` it runs the rest.
 */
const folders: Record<string, string[]> = {
  first: ['api/channel-flows', 'api/channel-messages'],
  others: ['api', 'reference', 'session', 'http', 'examples', 'samples', 'admin', 'sts', 'creds'],
}
const asked = process.argv.slice(2)
const suites = (asked.length > 0 ? asked : Object.keys(folders))
  .flatMap((part) => folders[part] ?? assert.fail(`not a part: ${part}`))
  .map((folder) => `test/${folder}/**/*.test.ts`)
const storeChooser = 'test/support/running-server.ts'

/** Whether a test file has its server from the one place that goes by CARILLON_TEST_STORE. Others would only run twice. */
function choosesStore(file: string): boolean {
  const specifiers = [...readFileSync(file, 'utf8').matchAll(/from '(\.[^']*)'/g)].map(([, path = '']) => path)
  const imports = specifiers.map((path) => join(dirname(file), path)).filter((path) => path.startsWith('test'))
  return imports.includes(storeChooser) || imports.some(choosesStore)
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
  const files = globSync(suites).filter(choosesStore).sort()
  if (files.length === 0) throw new Error(`no test imports ${storeChooser}`)
  return await runTests(files, environment)
}

process.exitCode = await run()
