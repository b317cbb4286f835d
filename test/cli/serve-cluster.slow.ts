import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { stopMsMax } from '../../src/cli/shutdown.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { StallingRelay } from '../cluster/stalling-relay.ts'
import { startNatsServer, withoutNatsServer } from '../support/nats-server.ts'
import { noPostgresServer, PostgresServer } from '../support/postgres-server.ts'
import { CarillonProcess } from './carillon-process.ts'
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

test('carillon serve says in one line why it cannot use a database', { skip: noPostgresServer }, async (context) => {
  const environment = { CARILLON_DATABASE_URL: changed(postgres.url, { password: secret }) }
  const line = await refusal(context, ['serve', ...dataDir(), ...freePorts], environment)
  assert.match(line, /password.*"postgres": correct the user .*CREATE ROLE postgres LOGIN/)
})

suite('carillon serve on a database without NATS', { skip: noPostgresServer }, () => {
  test('starts with a warning, refuses a second one while it is alive, and makes room when it is gone', async (context) => {
    const environment = { CARILLON_DATABASE_URL: await postgres.createDatabase() }
    const serve = (level = 'warn') =>
      new CarillonProcess(context, ['serve', ...dataDir(), ...freePorts, '--log-level', level], environment)
    const first = await serve().ready()
    assert.match(first.stderr, /without CARILLON_NATS_URL this is the only node on its database/)
    const second = await refusal(context, ['serve', ...dataDir(), ...freePorts], environment)
    assert.match(second, /^another node is alive on this database: give both CARILLON_NATS_URL/)
    first.child.kill('SIGTERM')
    assert.equal(await first.ended, 0)
    const third = await serve().ready()
    third.child.kill('SIGKILL')
    await third.ended
    // Killed, it counts as alive for a while, which the next one waits for.
    const fourth = await serve().ready()
    fourth.child.kill('SIGTERM')
    assert.equal(await fourth.ended, 0)
  })

  test('ends with exit code 0 at SIGTERM, also when PostgreSQL went away meanwhile', async (context) => {
    const own = await PostgresServer.start({ durable: false })
    context.after(() => own.stop())
    const args = ['serve', ...dataDir(), ...freePorts, '--log-level', 'warn']
    const server = await new CarillonProcess(context, args, { CARILLON_DATABASE_URL: own.url }).ready()
    await own.pause('immediate')
    while (!server.stderr.includes('heartbeat failed')) await once(server.child.stderr!, 'data')
    server.child.kill('SIGTERM')
    assert.equal(await server.ended, 0, server.stderr)
    assert.ok(!(server.stdout + server.stderr).includes(own.password), 'no password is shown')
  })
})

suite('carillon serve whose PostgreSQL does not respond', { skip: noPostgresServer }, () => {
  test('is gone in time, and says when that was not by itself', async (context) => {
    const relay = await StallingRelay.open(context, postgres.port)
    const url = changed(await postgres.createDatabase(), { port: String(relay.port) })
    const args = ['serve', ...dataDir(), ...freePorts]
    const server = await new CarillonProcess(context, args, { CARILLON_DATABASE_URL: url }).ready()
    relay.stall()
    server.child.kill('SIGTERM')
    // A little more, for a process that is slow to go.
    const cancel = systemClock.at(systemClock.now() + stopMsMax + 2_000, () => server.child.kill('SIGKILL'))
    const status = await server.ended
    cancel()
    const complaint = 'carillon did not stop within 5 s and was ended\n'
    assert.deepEqual([status, server.stderr], status === 0 ? [0, ''] : [1, complaint])
  })
})

suite('several carillon serve on a database and a NATS', { skip: noPostgresServer || withoutNatsServer }, () => {
  test('start at the same time on an empty database, and warn of nothing', async (context) => {
    const nats = await startNatsServer(context)
    const environment = { CARILLON_DATABASE_URL: await postgres.createDatabase(), CARILLON_NATS_URL: nats.url }
    const serve = () =>
      new CarillonProcess(context, ['serve', ...dataDir(), ...freePorts, '--log-level', 'warn'], environment).ready()
    const nodes = await Promise.all([serve(), serve(), serve()])
    for (const node of nodes) {
      assert.doesNotMatch(node.stderr, /only node/)
      node.child.kill('SIGTERM')
    }
    for (const node of nodes) assert.equal(await node.ended, 0, node.stderr)
  })
})
