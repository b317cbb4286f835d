import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, type TestContext, test } from 'node:test'
import { Client } from 'pg'
import { readMigrations } from '../../src/store/migrate.ts'
import { startNatsServer, withoutNatsServer } from '../support/nats-server.ts'
import { noPostgresServer, PostgresServer } from '../support/postgres-server.ts'
import { runCarillon } from './carillon-process.ts'
import { changed, freePorts, refusal, secret } from './refusal.ts'

let folder: string
let postgres: PostgresServer
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'carillon-serve-'))
  if (!noPostgresServer) postgres = await PostgresServer.start({ durable: false })
})
after(async () => {
  await postgres?.stop()
  rmSync(folder, { recursive: true })
})

const dataDir = () => ['--data-dir', mkdtempSync(join(folder, 'data-'))]

async function onDatabase(url: string, ...statements: string[]): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  for (const statement of statements) await client.query(statement)
  await client.end()
}

/** A port on which nobody listens. */
async function closedPort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return String(port)
}

suite('carillon serve and carillon migrate say in one line why a database cannot be used:', {
  skip: noPostgresServer,
}, () => {
  const wrong: Record<string, [url: () => string | Promise<string>, why: RegExp]> = {
    'nobody listens at its port': [
      async () => changed(postgres.url, { port: await closedPort(), password: secret }),
      /^PostgreSQL at 127\.0\.0\.1:\d+\/postgres cannot be used: .*ECONNREFUSED/,
    ],
    'its host is not known': [
      () => changed(postgres.url, { hostname: 'postgres.invalid', password: secret }),
      /^PostgreSQL at postgres\.invalid:\d+\/postgres cannot be used: .*(ENOTFOUND|EAI_AGAIN)/,
    ],
    'the password is wrong': [
      () => changed(postgres.url, { password: secret }),
      /password.*"postgres": correct the user .*CREATE ROLE postgres LOGIN/,
    ],
    'it does not exist': [
      () => changed(postgres.url, { pathname: '/not_there' }),
      /database "not_there" does not exist: .*CREATE DATABASE not_there OWNER postgres/,
    ],
    'its user may not connect': [userWithoutAccess, /GRANT CONNECT ON DATABASE carillon_\w+ TO stranger /],
    'its user may not make tables': [userWithoutRights, /permission denied for schema public.*grant CREATE/],
    'its schema is newer': [newerSchema, /has schema 999, but this Carillon knows only \d+: .* newer one, start that/],
  }
  for (const [what, [place, why]] of Object.entries(wrong)) {
    test(what, async (context) => {
      const environment = { CARILLON_DATABASE_URL: await place() }
      const lines = await Promise.all([
        refusal(context, ['serve', ...dataDir(), ...freePorts], environment),
        refusal(context, ['migrate'], environment),
      ])
      for (const line of lines) assert.match(line, why)
    })
  }

  async function userWithoutAccess(): Promise<string> {
    const url = await postgres.createDatabase()
    const { pathname } = new URL(url)
    const revoke = `REVOKE CONNECT ON DATABASE ${pathname.slice(1)} FROM PUBLIC`
    await onDatabase(url, `CREATE USER stranger PASSWORD '${secret}'`, revoke)
    return changed(url, { username: 'stranger', password: secret })
  }

  async function userWithoutRights(): Promise<string> {
    const url = await postgres.createDatabase()
    await onDatabase(url, `CREATE USER guest PASSWORD '${secret}'`)
    return changed(url, { username: 'guest', password: secret })
  }

  async function newerSchema(): Promise<string> {
    const url = await postgres.createDatabase()
    const table = 'CREATE TABLE schema_migration (version INTEGER PRIMARY KEY, name TEXT, applied_at BIGINT)'
    await onDatabase(url, table, `INSERT INTO schema_migration VALUES (999, '999-later.sql', 0)`)
    return url
  }

  test('its schema is newer than the one that this Carillon has made itself', async (context) => {
    const url = await postgres.createDatabase()
    const environment = { CARILLON_DATABASE_URL: url }
    assert.equal((await runCarillon(context, ['migrate'], environment)).status, 0)
    const next = readMigrations().length + 1
    await onDatabase(url, `INSERT INTO schema_migration VALUES (${next}, 'later.sql', 0)`)
    const line = await refusal(context, ['serve', ...dataDir(), ...freePorts], environment)
    assert.match(line, new RegExp(`schema ${next}, but this Carillon knows only ${next - 1}:`))
  })
})

suite('carillon serve says in one line why NATS cannot be used:', {
  skip: noPostgresServer || withoutNatsServer,
}, () => {
  async function complaint(context: TestContext, natsUrl: string): Promise<string> {
    const environment = { CARILLON_DATABASE_URL: await postgres.createDatabase(), CARILLON_NATS_URL: natsUrl }
    return refusal(context, ['serve', ...dataDir(), ...freePorts], environment)
  }

  test('nobody listens at its address', async (context) => {
    const port = await closedPort()
    const line = await complaint(context, `nats://ann:${secret}@127.0.0.1:${port}`)
    assert.equal(line, `NATS at nats://127.0.0.1:${port} cannot be used: connection refused`)
  })

  test('its host is not known', async (context) => {
    const line = await complaint(context, `nats://ann:${secret}@nats.invalid:4222`)
    assert.match(line, /^NATS at nats:\/\/nats\.invalid:4222 cannot be used: \S/)
  })

  test('it refuses the user', async (context) => {
    const nats = await startNatsServer(context, { lines: ['authorization { user: ann, password: other }'] })
    const line = await complaint(context, `nats://ann:${secret}@127.0.0.1:${nats.port}`)
    assert.equal(line, `NATS at nats://127.0.0.1:${nats.port} cannot be used: Authorization Violation`)
  })

  test('it lets the user do nothing', async (context) => {
    const permissions = 'permissions: { publish: "other.>", subscribe: "other.>" }'
    const lines = [`authorization { users = [{ user: ann, password: "${secret}", ${permissions} }] }`]
    const nats = await startNatsServer(context, { lines, credentials: `ann:${secret}` })
    const line = await complaint(context, nats.url)
    assert.match(line, new RegExp(`^NATS at nats://127\\.0\\.0\\.1:${nats.port} cannot be used: Permissions Violation`))
  })
})
