import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { suite, test } from 'node:test'
import { WebSocket } from 'ws'
import { startTestServer } from '../support/running-server.ts'
import { ConsoleClient } from './console-client.ts'

const flags = ['--admin-port', '0', '--admin-names', 'admin.internal', '--public-host', 'chat.example.com:9443']
const server = await startTestServer({ flags })
const client = new ConsoleClient(server.endpoint.admin ?? assert.fail('there is no admin port'))
await client.signIn({ token: await server.consoleToken() })
const { port, hostname } = new URL(client.url)

const reads = ['/', '/messages/1', '/assets/a.js', '/livez', '/readyz', '/metrics', '/console/session']
const paths = [...reads, '/carillon/v1/pending', '/channels', '/nothing.txt']
const upgrades = ['/console/live', '/connect']

const foreign = [
  'evil.example',
  `evil.example:${port}`,
  '127.evil.example',
  '127.0.0.1.evil.example',
  'localhost.evil.example',
  'evil-localhost',
  'chat.example.com.evil.example',
  'localhost@evil.example',
  'localhost, evil.example',
]
const own = [
  `127.0.0.1:${port}`,
  `localhost:${port}`,
  'LOCALHOST',
  `[::1]:${port}`,
  '10.1.2.3',
  'Admin.Internal:80',
  'chat.example.com',
]

/** The status of an upgrade; 101 if it is accepted. */
async function upgrade(path: string, headers: Record<string, string>): Promise<number> {
  const webSocket = new WebSocket(`ws://${hostname}:${port}${path}`, { headers })
  const opened = once(webSocket, 'open').then(() => 101)
  const refused = once(webSocket, 'unexpected-response').then(([, response]) => {
    response.resume()
    return response.statusCode as number
  })
  // Only one of them comes; a socket that is terminated before it is open is an error.
  webSocket.on('error', () => {})
  const status = await Promise.race([opened, refused])
  opened.catch(() => {})
  refused.catch(() => {})
  webSocket.terminate()
  return status
}

suite('the admin port serves no path under a foreign host name', () => {
  for (const host of foreign) {
    test(JSON.stringify(host), async () => {
      for (const path of paths) {
        const { status, headers, text } = await client.read(path, { host })
        assert.deepEqual([path, status, headers['set-cookie']], [path, 421, undefined])
        assert.match(text, /--admin-names/)
      }
      const written = await client.write('/console/sign-in', { token: 'x' }, { host })
      assert.equal(written.status, 421)
      for (const path of upgrades) {
        const headers = { host, origin: `http://${host}`, cookie: client.cookie ?? '' }
        assert.deepEqual([path, await upgrade(path, headers)], [path, 421])
      }
    })
  }
})

suite('the admin port is known by', () => {
  for (const host of own) {
    test(host, async () => {
      for (const path of ['/livez', '/metrics']) assert.equal((await client.read(path, { host })).status, 200)
      assert.notEqual((await client.read('/console/session', { host })).status, 421)
    })
  }
})

test('a health check of HTTP/1.0 needs no Host, and a request of HTTP/1.1 does', async () => {
  for (const [version, status] of [
    ['1.0', '200'],
    ['1.1', '421'],
  ]) {
    const socket = connect(Number(port), hostname)
    socket.end(`GET /livez HTTP/${version}\r\nconnection: close\r\n\r\n`)
    const chunks = await socket.toArray()
    assert.match(Buffer.concat(chunks).toString(), new RegExp(`^HTTP/1\\.1 ${status} `))
  }
})

test('every page has a policy that names its own WebSocket, and nothing may frame it', async () => {
  const host = `localhost:${port}`
  const { headers } = await client.read('/', { host })
  const policy = headers['content-security-policy']?.toString() ?? ''
  assert.ok(policy.split('; ').includes(`connect-src 'self' ws://${host} wss://${host}`), policy)
  assert.ok(policy.split('; ').includes("frame-ancestors 'none'"), policy)
  assert.ok(!/unsafe|\*|data:/.test(policy), policy)
  assert.deepEqual(
    ['x-content-type-options', 'referrer-policy', 'cross-origin-opener-policy', 'cross-origin-resource-policy'].map(
      (name) => headers[name],
    ),
    ['nosniff', 'no-referrer', 'same-origin', 'same-origin'],
  )
  const { headers: ofApi } = await client.read('/carillon/v1/pending')
  assert.deepEqual([ofApi['cache-control'], ofApi['access-control-allow-origin']], ['no-store', undefined])
})
