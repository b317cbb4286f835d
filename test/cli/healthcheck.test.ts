import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { aroundStore } from '../support/around-store.ts'
import { carillon } from '../support/carillon.ts'
import { startTestServer } from '../support/running-server.ts'

let broken = false
const server = await startTestServer({
  flags: ['--admin-port', '0'],
  aroundStore: (store) =>
    aroundStore(store, {
      ready: () => (broken ? Promise.reject(new Error('the disk is gone')) : store.ready()),
    }),
})

suite('carillon healthcheck', () => {
  test('finds the server by its data folder, or by its port', async () => {
    const admin = server.endpoint.admin!
    const ready = { status: 0, stdout: `ready according to ${admin}/readyz\n`, stderr: '' }
    assert.deepEqual(await carillon('healthcheck', '--data-dir', server.dataDir), ready)
    assert.deepEqual(await carillon('healthcheck', '--admin-port', new URL(admin).port), ready)
  })

  test('ends with 1 and says what is wrong with a server that cannot work', async (t) => {
    broken = true
    t.after(() => {
      broken = false
    })
    const { status, stderr } = await carillon('healthcheck', '--data-dir', server.dataDir)
    assert.deepEqual([status, stderr], [1, 'carillon: not ready: store: the disk is gone\n'])
  })

  test('ends with 1 where there is no server, or none that can be asked', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'carillon-healthcheck-'))
    t.after(() => rm(folder, { recursive: true }))
    const nobody = await carillon('healthcheck', '--data-dir', folder)
    assert.equal(nobody.status, 1)
    assert.match(nobody.stderr, /^carillon: not ready: no server runs in .*; set --data-dir or --admin-port/)

    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    other.close()
    await once(other, 'close')
    const refused = await carillon('healthcheck', '--admin-port', String(port))
    assert.equal(refused.status, 1)
    assert.match(
      refused.stderr,
      new RegExp(`^carillon: not ready: http://127.0.0.1:${port}/readyz does not respond: .*\n$`),
    )
  })

  test('asks over TLS where other machines reach the port', async () => {
    const reached = await startTestServer({ flags: ['--admin-port', '0', '--admin-host', '0.0.0.0'] })
    const { admin = '' } = reached.endpoint
    assert.match(admin, /^https:\/\/127\.0\.0\.1:/)
    const ready = { status: 0, stdout: `ready according to ${admin}/readyz\n`, stderr: '' }
    assert.deepEqual(await carillon('healthcheck', '--data-dir', reached.dataDir), ready)
    const port = ['--admin-port', new URL(admin).port, '--admin-host', '0.0.0.0']
    assert.deepEqual(await carillon('healthcheck', ...port), ready)
  })

  test('says so if the server was started without an admin port', async () => {
    const bare = await startTestServer()
    const { status, stderr } = await carillon('healthcheck', '--data-dir', bare.dataDir)
    const words = 'the server has no admin port: start it without --admin-port off'
    assert.deepEqual([status, stderr], [1, `carillon: ${words}\n`])
  })
})
