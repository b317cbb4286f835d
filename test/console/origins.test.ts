import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { startTestServer } from '../support/running-server.ts'
import { ConsoleClient, ownWrite } from './console-client.ts'
import { rejectedStatus } from './live-client.ts'

const server = await startTestServer({ flags: ['--admin-port', '0'] })
const client = new ConsoleClient(server.endpoint.admin ?? assert.fail('there is no admin port'))
assert.equal((await client.signIn({ token: await server.consoleToken() })).status, 200)
const { port } = new URL(client.url)

/** The origin of another server on this machine. It is of the same site, so browsers send the cookie with its requests. */
const otherPort = 'http://127.0.0.1:1'
const own = ownWrite(client.url)
const without = (...names: string[]) =>
  Object.fromEntries(Object.entries(own).filter(([name]) => !names.includes(name)))

/** The headers that a browser sends with a write, by the page that makes it. */
const foreignWrites: Record<string, Record<string, string>> = {
  'a program without a page': without('origin', 'sec-fetch-site'),
  'fetch from another port': { ...own, origin: otherPort, 'sec-fetch-site': 'same-site' },
  'fetch from another port, by an old browser': { ...without('sec-fetch-site'), origin: otherPort },
  'fetch from another port, by a browser that sends no Origin': { ...without('origin'), 'sec-fetch-site': 'same-site' },
  'fetch from another site': { ...own, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
  'fetch from a sandboxed frame': { ...own, origin: 'null', 'sec-fetch-site': 'cross-site' },
  'fetch of a host that begins like this one': { ...own, origin: `${client.url}.evil.example` },
  'fetch without the own header': without('x-carillon-console'),
  'a form': {
    origin: otherPort,
    'sec-fetch-site': 'same-site',
    'content-type': 'application/x-www-form-urlencoded',
  },
  'a form with text': { origin: otherPort, 'sec-fetch-site': 'same-site', 'content-type': 'text/plain' },
  'a form of its own': { ...own, 'content-type': 'application/x-www-form-urlencoded' },
  'a beacon': { origin: otherPort, 'sec-fetch-site': 'same-site', 'content-type': 'text/plain;charset=UTF-8' },
}

const writes = [
  '/carillon/v1/processors/first?operation=pause',
  '/carillon/v1/keys',
  '/console/sign-in',
  '/console/sign-out',
]
const namesOfActs = async (): Promise<string[]> =>
  (await server.call('GET', '/carillon/v1/audit?max-results=50')).body.AuditEvents.map(
    ({ Action }: { Action: string }) => Action,
  )

suite('the cookie is not enough for a write by', () => {
  for (const [by, headers] of Object.entries(foreignWrites)) {
    test(by, async () => {
      for (const path of writes) {
        const { status, headers: sent } = await client.send('POST', path, { headers, body: '{"Kind":"OPERATOR"}' })
        assert.deepEqual([path, status, sent['set-cookie']], [path, 403, undefined])
        assert.equal(sent['access-control-allow-origin'], undefined)
      }
    })
  }

  test('any of them: nothing was done', async () => {
    assert.deepEqual(await namesOfActs(), ['carillon:SignIn'])
    assert.equal((await client.read('/console/session')).status, 200)
  })
})

suite('the cookie is enough for', () => {
  test('a write by a page of the console', async () => {
    for (const headers of [own, without('sec-fetch-site'), without('origin')]) {
      const { status, text } = await client.send('POST', '/carillon/v1/processors/first?operation=resume', { headers })
      assert.equal(status, 200, text)
    }
  })

  test('reading by a page of the console, or by a program, but not by a page of another port', async () => {
    for (const site of ['same-origin', 'none']) {
      assert.equal((await client.read('/carillon/v1/pending', { 'sec-fetch-site': site })).status, 200)
    }
    assert.equal((await client.send('GET', '/carillon/v1/pending')).status, 200)
    for (const site of ['same-site', 'cross-site']) {
      for (const path of ['/carillon/v1/pending', '/console/session']) {
        const { status, headers } = await client.read(path, { 'sec-fetch-site': site })
        assert.deepEqual([status, headers['access-control-allow-origin']], [403, undefined])
      }
    }
  })
})

test('no page of another origin gets permission to call', async () => {
  for (const path of ['/carillon/v1/keys', '/console/sign-in', '/channels', '/']) {
    const asked = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-carillon-console' }
    const { headers } = await client.send('OPTIONS', path, { headers: { origin: otherPort, ...asked } })
    const allowed = Object.keys(headers).filter((name) => name.startsWith('access-control-'))
    assert.deepEqual([path, allowed], [path, []])
  }
})

test('no page of another origin opens a WebSocket', async () => {
  for (const origin of [otherPort, 'https://evil.example', 'null', `http://localhost:${port}`]) {
    assert.deepEqual([origin, await rejectedStatus(client, { origin })], [origin, 403])
  }
  assert.equal(await rejectedStatus(client, {}), 403, 'a browser sends Origin with every WebSocket')
  assert.equal(await rejectedStatus(new ConsoleClient(client.url), { origin: client.url }), 401)
})
