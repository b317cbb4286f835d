import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ManualClock } from '../support/manual-clock.ts'
import { populate } from '../support/population.ts'
import { startTestServer } from '../support/running-server.ts'
import { ConsoleClient } from './console-client.ts'

const clock = new ManualClock(Date.now())
const server = await startTestServer({ clock, flags: ['--admin-port', '0'] })
const people = await populate(server)
const hour = 3_600_000

/** A minute later than the one before, since attempts are counted by the minute. */
function newClient(): ConsoleClient {
  clock.advance(60_000)
  return new ConsoleClient(server.endpoint.admin ?? assert.fail('there is no admin port'))
}

async function signedIn(proof?: object): Promise<ConsoleClient> {
  const client = newClient()
  const { status, text } = await client.signIn(proof ?? { token: await server.consoleToken() })
  assert.equal(status, 200, text)
  return client
}

const operatorKey = (input: object = {}) => server.createKey({ Kind: 'OPERATOR', ...input })
const statusOf = async (client: ConsoleClient, path = '/console/session') => (await client.read(path)).status

/** What the operators did, the latest last. */
async function acts(): Promise<{ AccessKeyId: string; KeyName: string; Action: string; Facts: object }[]> {
  let token: string | undefined
  const all = []
  do {
    const query = token === undefined ? '' : `&next-token=${token}`
    const { body } = await server.call('GET', `/carillon/v1/audit?max-results=50${query}`)
    all.push(...body.AuditEvents)
    token = body.NextToken
  } while (token)
  return all
}

suite('a link to the console', () => {
  test('signs in, with a cookie that only this server gets, and no script', async () => {
    const client = newClient()
    const { status, json, headers } = await client.signIn({ token: await server.consoleToken() })
    const expiresAt = new Date(clock.now() + 12 * hour).toISOString()
    assert.deepEqual([status, json], [200, { role: 'operator', name: 'root', expiresAt }])
    const { port } = new URL(client.url)
    const cookie = new RegExp(`^carillon-console-${port}=[\\w-]{43}; Max-Age=43200; Path=/; HttpOnly; SameSite=Strict$`)
    assert.match(headers['set-cookie']?.[0] ?? '', cookie)
    assert.deepEqual((await client.read('/console/session')).json, json)
    const { AccessKeyId, Action, Facts } = (await acts()).at(-1)!
    assert.deepEqual(
      [AccessKeyId, Action, Facts],
      [server.credentials.accessKeyId, 'carillon:SignIn', { With: 'link' }],
    )
  })

  test('is good once', async () => {
    const token = await server.consoleToken()
    await signedIn({ token })
    const again = await newClient().signIn({ token })
    assert.deepEqual([again.status, again.headers['set-cookie']], [401, undefined])
  })

  test('is good for ten minutes', async () => {
    const token = await server.consoleToken()
    clock.advance(600_000)
    assert.equal((await newClient().signIn({ token })).status, 401)
  })

  test('is one of at most a hundred: further ones end the oldest', async () => {
    const first = await server.consoleToken()
    clock.advance(1)
    for (let n = 0; n < 100; n += 1) await server.consoleToken()
    assert.equal((await newClient().signIn({ token: first })).status, 401)
  })
})

suite('an access key', () => {
  test('signs in with its role, and acts as itself', async () => {
    for (const role of ['operator', 'reviewer', 'viewer']) {
      const key = await operatorKey({ Role: role.toUpperCase(), Name: `${role}'s key` })
      const client = await signedIn(key)
      const { json } = await client.read('/console/session')
      assert.deepEqual([json.role, json.name], [role, `${role}'s key`])
      const paused = await client.write('/carillon/v1/processors/first?operation=pause')
      assert.equal(paused.status, role === 'operator' ? 200 : 403, paused.text)
    }
    const pauses = (await acts()).filter(({ Action }) => Action === 'carillon:PauseProcessor')
    assert.deepEqual(
      pauses.map(({ KeyName }) => KeyName),
      ["console session of operator's key"],
    )
  })

  test('of one AppInstance stays in it', async () => {
    const client = await signedIn(await operatorKey({ SubjectArn: people.appInstanceArn }))
    assert.equal((await client.read('/console/session')).json.appInstanceArn, people.appInstanceArn)
    assert.equal(await statusOf(client, '/carillon/v1/pending'), 200)
    assert.equal(await statusOf(client, '/carillon/v1/processors'), 403)
  })

  test('must be one of an operator, with its secret', async () => {
    const key = await operatorKey()
    const ofUser = await server.createKey({ Kind: 'USER', SubjectArn: people.member })
    const secretAccessKey = `${key.secretAccessKey.slice(0, -1)}~`
    for (const proof of [{ ...key, secretAccessKey }, { ...key, accessKeyId: 'AKIANOBODY' }, ofUser]) {
      assert.equal((await newClient().signIn(proof)).status, 401)
    }
    await server.call('POST', `/carillon/v1/keys/${key.accessKeyId}?operation=suspend`)
    assert.equal((await newClient().signIn(key)).status, 401)
  })

  test('that ends ends its session', async () => {
    const ends = Math.ceil(clock.now() / 1000) + 7_200
    const client = await signedIn(await operatorKey({ ExpirationTimestamp: ends }))
    assert.equal((await client.read('/console/session')).json.expiresAt, new Date(ends * 1000).toISOString())
    clock.advance(2 * hour)
    assert.equal(await statusOf(client), 401)
  })

  test('that is suspended ends its session at once', async () => {
    const key = await operatorKey()
    const client = await signedIn(key)
    await server.call('POST', `/carillon/v1/keys/${key.accessKeyId}?operation=suspend`)
    assert.deepEqual([await statusOf(client), await statusOf(client, '/carillon/v1/pending')], [401, 401])
  })
})

suite('a session of the console', () => {
  test('ends after 12 hours', async () => {
    const client = await signedIn()
    clock.advance(12 * hour - 1)
    assert.equal(await statusOf(client), 200)
    clock.advance(1)
    assert.deepEqual([await statusOf(client), await statusOf(client, '/carillon/v1/pending')], [401, 401])
  })

  test('ends at sign-out, and its cookie is removed', async () => {
    const [client, other] = [await signedIn(), await signedIn()]
    const out = await client.write('/console/sign-out')
    assert.equal(out.status, 204)
    assert.match(out.headers['set-cookie']?.[0] ?? '', /^carillon-console-\d+=; Max-Age=0; Path=\//)
    assert.deepEqual([await statusOf(client), await statusOf(client, '/carillon/v1/pending')], [401, 401])
    assert.equal(await statusOf(other), 200)
    assert.equal((await acts()).at(-1)?.Action, 'carillon:SignOut')
  })

  test('outlives a restart of the server', async () => {
    const { cookie } = await signedIn()
    await server.restart()
    const client = newClient()
    client.cookie = cookie?.replace(/-\d+=/, `-${new URL(client.url).port}=`)
    assert.equal(await statusOf(client), 200)
  })

  test('is one of twenty of its key: one more ends the oldest', async () => {
    const key = await operatorKey()
    const first = await signedIn(key)
    const second = await signedIn(key)
    for (let n = 0; n < 19; n += 1) await signedIn(key)
    assert.deepEqual([await statusOf(first), await statusOf(second)], [401, 200])
  })

  test('is not what the operations of AWS accept', async () => {
    const client = await signedIn()
    const created = await client.write('/app-instances', { Name: 'Foreign', ClientRequestToken: 'x' })
    assert.deepEqual([created.status, created.json.Code], [403, 'MissingAuthenticationToken'])
  })
})

test('attempts to sign in are limited for each address', async () => {
  const client = newClient()
  for (let n = 0; n < 20; n += 1) assert.equal((await client.signIn({ token: 'guess' })).status, 401)
  const { status, headers } = await client.signIn({ token: await server.consoleToken() })
  assert.deepEqual([status, Number(headers['retry-after']) <= 60], [429, true])
})
