import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import { startTestServer } from '../support/running-server.ts'
import { ConsoleClient } from './console-client.ts'

const reached = ['--admin-port', '0', '--admin-host', '0.0.0.0', '--admin-names', 'admin.internal']
const host = 'admin.internal:9080'
const own = { host, origin: `https://${host}` }

suite('a port that other machines reach', () => {
  test('has TLS, and an operator signs in with a key; the cookie is for TLS only', async () => {
    const server = await startTestServer({ flags: reached })
    const ca = readFileSync(server.endpoint.ca ?? assert.fail('the server has issued no certificate'))
    const client = new ConsoleClient(server.endpoint.admin ?? assert.fail('there is no admin port'), ca)
    const { status, headers } = await client.write('/console/sign-in', server.credentials, own)
    const [cookie = ''] = headers['set-cookie'] ?? []
    assert.equal(status, 200)
    assert.match(cookie, /^carillon-console-9080=.*; HttpOnly; SameSite=Strict; Secure$/)
    client.cookie = cookie.split(';')[0]
    const { status: found } = await client.read('/carillon/v1/pending', { host })
    assert.equal(found, 200)
  })

  test('accepts no link', async () => {
    const server = await startTestServer({ flags: reached })
    await assert.rejects(server.consoleToken(), /the server gives no link/)
    const ca = readFileSync(server.endpoint.ca ?? assert.fail('the server has issued no certificate'))
    const client = new ConsoleClient(server.endpoint.admin ?? assert.fail('there is no admin port'), ca)
    assert.equal((await client.write('/console/sign-in', { token: 'x' }, own)).status, 401)
  })

  test('is plain behind a proxy, which has TLS: its name is that of the public host', async () => {
    const flags = ['--admin-port', '0', '--admin-host', '0.0.0.0', '--tls', 'off', '--public-host', 'chat.example.com']
    const server = await startTestServer({ flags })
    const client = new ConsoleClient(server.endpoint.admin ?? assert.fail('there is no admin port'))
    assert.match(client.url, /^http:/)
    const proxied = { host: 'chat.example.com', origin: 'https://chat.example.com' }
    const { status, headers } = await client.write('/console/sign-in', server.credentials, proxied)
    assert.equal(status, 200)
    assert.match(headers['set-cookie']?.[0] ?? '', /^carillon-console-default=.*; Secure$/)
  })
})
