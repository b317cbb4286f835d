import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { RecordingLog } from '../processor/functions.ts'
import { startTestServer } from '../support/running-server.ts'
import { callCreds, exchange, origin, signIn, turnOn } from './signing-in.ts'

const log = new RecordingLog()
const server = await startTestServer({ log })

const off = await callCreds(server, { headers: { origin, authorization: 'Bearer ann-token' } })
const appInstanceArn = await turnOn(server, { flags: ['--admin-port', '0'] })

test('without its settings there is no /creds', () => assert.equal(off.status, 404))

suite('POST /creds', () => {
  test('gives a person a key of their own, and makes the user at the first time', async () => {
    const before = Date.now()
    const { answer, userArn, credentials } = await signIn(server, 'bob-token')
    const { ChimeCredentials, ...rest } = answer
    assert.deepEqual(rest, {
      ChimeAppInstanceUserArn: `${appInstanceArn}/user/bob`,
      ChimeUserId: 'bob',
      ChimeDisplayName: 'Bob',
    })
    assert.deepEqual(Object.keys(ChimeCredentials), ['AccessKeyId', 'SecretAccessKey', 'SessionToken', 'Expiration'])
    const livesMs = Date.parse(ChimeCredentials.Expiration) - before
    assert.ok(livesMs >= 3_600_000 && livesMs < 3_660_000, `it ends after ${livesMs} ms`)

    const query = `?app-instance-arn=${encodeURIComponent(appInstanceArn)}`
    const people = await server.call('GET', `/app-instance-users${query}`, { credentials })
    assert.deepEqual(people.body.AppInstanceUsers, [
      { AppInstanceUserArn: userArn, Name: 'Bob', Metadata: '{"team":"blue"}' },
    ])
  })

  test('the key is for that person only', async () => {
    const [ann, bob] = [await signIn(server, 'ann-token'), await signIn(server, 'bob-token')]
    const list = { credentials: ann.credentials }
    const own = await server.call('GET', '/channels?app-instance-arn=x', { ...list, bearer: bob.userArn })
    assert.equal(own.status, 400)
    const target = `/channels?app-instance-arn=${encodeURIComponent(appInstanceArn)}`
    assert.equal((await server.call('GET', target, { ...list, bearer: ann.userArn })).status, 200)
    const refused = await server.call('GET', target, { ...list, bearer: bob.userArn })
    assert.deepEqual([refused.status, refused.type], [403, 'AccessDeniedException'])
  })

  test('keeps the name and the metadata of a user who exists', async () => {
    await signIn(server, 'ann-token')
    const { answer, userArn } = await signIn(server, 'ann-renamed')
    assert.equal(answer.ChimeDisplayName, 'Ann')
    const { AppInstanceUser } = await server.identity.describeAppInstanceUser({ AppInstanceUserArn: userArn })
    assert.deepEqual([AppInstanceUser?.Name, AppInstanceUser?.Metadata], ['Ann', undefined])
  })

  test('people who sign in at the same time for the first time are one user', async () => {
    const responses = await Promise.all(Array.from({ length: 6 }, () => exchange(server, 'cyd-token')))
    assert.deepEqual(
      responses.map(({ status }) => status),
      Array(6).fill(200),
    )
  })

  test('a suspended user gets no key', async () => {
    const { userArn, credentials } = await signIn(server, 'bob-token')
    const user = `/carillon/v1/users/${encodeURIComponent(userArn)}`
    assert.equal((await server.call('POST', `${user}?operation=suspend`)).status, 200)
    const response = await exchange(server, 'bob-token')
    assert.deepEqual([response.status, await response.text()], [401, 'Not Authorized'])
    assert.equal((await server.call('GET', '/endpoints/messaging-session', { credentials })).status, 401)
    assert.equal((await server.call('POST', `${user}?operation=resume`)).status, 200)
    await signIn(server, 'bob-token')
  })

  for (const token of ['unknown-token', 'failing-token', 'dying-token', 'invalid-token', 'text-token', 'long-token']) {
    test(`${token}: not authorized`, async () => {
      const response = await exchange(server, token)
      assert.deepEqual([response.status, await response.text()], [401, 'Not Authorized'])
      assert.match(response.headers.get('content-type') ?? '', /^text\/plain/)
      assert.equal(response.headers.get('access-control-allow-origin'), origin)
    })
  }

  test('without a token: not authorized', async () => {
    assert.equal((await callCreds(server, { headers: { origin } })).status, 401)
  })

  test('a body that is too large is refused', async () => {
    const headers = { origin, authorization: 'Bearer ann-token' }
    assert.equal((await callCreds(server, { headers, body: 'x'.repeat(20_000) })).status, 413)
    assert.equal((await callCreds(server, { headers, body: '{}' })).status, 200)
  })

  test('other paths and methods are those of the API', async () => {
    const headers = { origin, authorization: 'Bearer ann-token' }
    assert.equal((await callCreds(server, { headers, path: '/creds/' })).status, 404)
    assert.equal((await callCreds(server, { headers, method: 'GET' })).status, 404)
    assert.equal((await callCreds(server, { headers, path: '/creds?a=b' })).status, 200)
  })
})

suite('the origin of the page', () => {
  const authorization = 'Bearer ann-token'
  const refused: Record<string, string | undefined> = {
    null: 'null',
    'a suffix of an allowed one': 'https://evilchat.example.org',
    'an allowed one as a suffix': 'https://evil.org/https://chat.example.org',
    'an allowed one as a prefix': 'https://chat.example.org.evil.org',
    'another scheme': 'http://chat.example.org',
    'another port': 'https://chat.example.org:8443',
    'other letters': 'https://CHAT.example.org',
    'a subdomain': 'https://a.chat.example.org',
    'the parent domain': 'https://example.org',
    'a slash at the end': 'https://chat.example.org/',
    'two of them': 'https://chat.example.org, https://chat.example.org',
    none: undefined,
  }
  for (const [name, from] of Object.entries(refused)) {
    test(`${name}: refused`, async () => {
      const headers: Record<string, string> = { authorization, ...(from !== undefined && { origin: from }) }
      for (const method of ['POST', 'OPTIONS']) {
        const response = await callCreds(server, { method, headers })
        assert.equal(response.status, 403)
        assert.equal(response.headers.get('vary'), 'Origin')
        assert.equal(response.headers.get('access-control-allow-origin'), null)
        assert.equal(response.headers.get('access-control-allow-credentials'), null)
      }
    })
  }

  test('an allowed one is named in the response, and cookies may come along', async () => {
    const { status, headers } = await exchange(server, 'ann-token')
    assert.equal(status, 200)
    assert.equal(headers.get('access-control-allow-origin'), origin)
    assert.equal(headers.get('access-control-allow-credentials'), 'true')
    assert.equal(headers.get('vary'), 'Origin')
    assert.equal(headers.get('cache-control'), 'no-store')
  })

  test('a preflight request names the method and the headers that the page may send', async () => {
    const asks = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' }
    const { status, headers } = await callCreds(server, { method: 'OPTIONS', headers: { origin, ...asks } })
    assert.equal(status, 204)
    assert.equal(headers.get('access-control-allow-origin'), origin)
    assert.equal(headers.get('access-control-allow-credentials'), 'true')
    assert.equal(headers.get('access-control-allow-methods'), 'POST')
    assert.equal(headers.get('access-control-allow-headers'), 'authorization, content-type')
    assert.equal(headers.get('vary'), 'Origin')
  })
})

test('the metrics count the outcomes', async () => {
  const text = await (await fetch(`${server.endpoint.admin}/metrics`)).text()
  for (const outcome of ['issued', 'unknown', 'suspended', 'failed', 'invalid', 'origin']) {
    assert.match(text, new RegExp(`^carillon_creds_total\\{outcome="${outcome}"\\} [1-9]`, 'm'))
  }
})

test('a function that hangs is ended, and the next call is served', async () => {
  await mkdir(join(server.functions, 'creds'))
  await writeFile(join(server.functions, 'creds', 'function.json'), JSON.stringify({ timeoutMs: 100 }))
  await writeFile(join(server.functions, 'creds', 'index.mjs'), "export { handler } from '../creds.mjs'")
  await server.restart()
  const response = await exchange(server, 'hanging-token')
  assert.equal(response.status, 401)
  await signIn(server, 'ann-token')
})

test('a sign-in at the function gets its response when the server stops', async () => {
  const asked = log.waitForNext('hanging-token')
  const response = exchange(server, 'hanging-token')
  await asked
  await server.restart()
  assert.equal((await response).status, 401)
})

test('an address has a limit of calls', async () => {
  await turnOn(server, { callsPerMinute: 2 })
  const statuses = []
  for (const _ of [1, 2, 3]) statuses.push((await exchange(server, 'unknown-token')).status)
  assert.deepEqual(statuses, [401, 401, 429])
  const response = await exchange(server, 'ann-token')
  assert.equal(response.status, 429)
  const seconds = Number(response.headers.get('retry-after'))
  assert.ok(seconds >= 1 && seconds <= 60, `${seconds} s`)
})

test('no token and no secret is logged at the default level', async () => {
  await server.restart()
  const { credentials } = await signIn(server, 'ann-token')
  const logged = log.lines.filter(({ level }) => level !== 'debug').map((line) => JSON.stringify(line))
  assert.ok(logged.some((line) => line.includes('sign-ins failed')))
  const secrets = ['-token', credentials.secretAccessKey, credentials.sessionToken]
  for (const line of logged) for (const secret of secrets) assert.ok(!line.includes(secret), line)
})
