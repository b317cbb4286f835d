import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'node:test'
import { ConsoleClient } from '../console/console-client.ts'
import { carillon } from '../support/carillon.ts'
import { startTestServer, testOfSqlite } from '../support/running-server.ts'

suite('carillon console', () => {
  testOfSqlite('prints a link that signs in once, and the audit log has that', async () => {
    const server = await startTestServer({ flags: ['--admin-port', '0'] })
    const { status, stdout } = await carillon('console', '--data-dir', server.dataDir)
    const [link = ''] = stdout.split('\n')
    const { origin, hash } = new URL(link)
    assert.deepEqual([status, origin], [0, server.endpoint.admin])
    const token = hash.replace('#token=', '')
    assert.equal((await new ConsoleClient(origin).signIn({ token })).status, 200)
    assert.equal((await new ConsoleClient(origin).signIn({ token })).status, 401)
    const { AuditEvents } = (await server.call('GET', '/carillon/v1/audit?max-results=50')).body
    assert.deepEqual(
      AuditEvents.map(({ AccessKeyId, Action }: { AccessKeyId: string; Action: string }) => [AccessKeyId, Action]),
      [
        ['command line', 'carillon:CreateConsoleLink'],
        [server.credentials.accessKeyId, 'carillon:SignIn'],
      ],
    )
  })

  testOfSqlite('prints no link where other machines reach the port, which accepts none', async () => {
    const server = await startTestServer({ flags: ['--admin-port', '0', '--admin-host', '0.0.0.0'] })
    const { status, stderr } = await carillon('console', '--data-dir', server.dataDir)
    assert.equal(status, 1)
    assert.match(stderr, /^carillon: other machines reach the admin port, so it accepts no link: sign in at https:/)
    assert.equal(server.endpoint.console, undefined)
  })

  testOfSqlite('says so where there is no server, or no admin port', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'carillon-console-'))
    try {
      const nobody = await carillon('console', '--data-dir', folder)
      assert.match(nobody.stderr, /^carillon: no server runs in .*: start it, or set --data-dir\n$/)
    } finally {
      await rm(folder, { recursive: true })
    }
    const { dataDir } = await startTestServer()
    const without = await carillon('console', '--data-dir', dataDir)
    assert.deepEqual(
      [without.status, without.stderr],
      [1, 'carillon: the server has no admin port: start it without --admin-port off\n'],
    )
  })
})
