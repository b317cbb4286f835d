import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { mock, suite, test } from 'node:test'
import defaultSigV4 from 'amazon-chime-sdk-js/build/sigv4/DefaultSigV4.js'
import fc from 'fast-check'
import { rootGrant } from '../../src/keys/grant.ts'
import type { Key } from '../../src/keys/key.ts'
import { stringToSign } from '../../src/signature/canonical.ts'
import { hmac, signingKey } from '../../src/signature/signing-key.ts'
import { verifyConnect } from '../../src/signature/verify-connect.ts'
import { presign } from '../support/smithy-signer.ts'

const { default: DefaultSigV4 } = defaultSigV4
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'an example, not a secret', grant: rootGrant }
const temporary = { ...credentials, accessKeyId: 'ASIAEXAMPLE', sessionToken: 'token+of/this=key' }
const signedAtMs = Date.UTC(2026, 0, 2, 3, 4, 5)
const minuteMs = 60_000
const host = 'Chat.Example.com:8443'
const userArn = "arn:aws:chime:us-east-1:111122223333:app-instance/A/user/ann@example.com-!'(x)*"
const parameters = { userArn, sessionId: '1b4e28ba' }

// The client asks Date itself what time it is.
mock.timers.enable({ apis: ['Date'], now: signedAtMs })

/** The request target that a browser's messaging session connects to. */
async function clientTarget(wanted: Record<string, string> = parameters, signer: Key = credentials) {
  const client = { config: { region: 'us-east-1', credentials: signer } }
  const query = new Map(Object.entries(wanted).map(([name, value]) => [name, [value]]))
  const url = await new DefaultSigV4(client).signURL('GET', 'wss', 'chime', host, '/connect', '', query)
  return url.slice(`wss://${host}`.length)
}

/** The target of a client that signs its query as it stands, however it is encoded and sorted. */
function rawTarget(query: string): string {
  const request = `GET\n/connect\n${query}\nhost:${host.toLowerCase()}\n\nhost\n${hash('sha256', '')}`
  const scope = '20260102/us-east-1/chime/aws4_request'
  const signature = hmac(
    signingKey(credentials.secretAccessKey, scope),
    stringToSign('20260102T030405Z', scope, request),
  )
  return `/connect?${query}&X-Amz-Signature=${signature}`
}

interface Given {
  host?: string
  nowMs?: number
  publicHosts?: string[]
  keys?: Key[]
  region?: string
}

const verify = (target: string, given: Given = {}) => {
  const { nowMs = signedAtMs, publicHosts = [], keys = [credentials, temporary], region = 'us-east-1' } = given
  const find = (id: string) => keys.find((key) => key.accessKeyId === id)
  return verifyConnect({ target, host: given.host ?? host }, find, { region, publicHosts }, nowMs)
}

async function assertRefused(target: string, problem: string, given?: Given) {
  const verified = await verify(target, given)
  assert.deepEqual(verified, { ok: false, reason: `Unauthorized: ${problem}` })
  assert.ok(Buffer.byteLength(verified.reason) <= 123)
}

const mismatch = 'the signature does not match (check the secret key and the Host header)'

suite('accepts', () => {
  test("the address that amazon-chime-sdk-js signs, and reads the session's parameters", async () => {
    assert.deepEqual(await verify(await clientTarget()), { ok: true, credentials, parameters })
  })

  test('temporary credentials, whose token is inside the signed query', async () => {
    const target = await clientTarget(parameters, temporary)
    assert.deepEqual(await verify(target), { ok: true, credentials: temporary, parameters })
  })

  test('a wish to prefetch', async () => {
    const wanted = { ...parameters, 'prefetch-on': 'connect', 'prefetch-sort-by': 'unread' }
    const verified = await verify(await clientTarget(wanted))
    assert.ok(verified.ok)
    assert.deepEqual(verified.parameters, { ...parameters, prefetchOn: 'connect', prefetchSortBy: 'unread' })
  })

  test('no prefetching on another occasion', async () => {
    const verified = await verify(await clientTarget({ ...parameters, 'prefetch-on': 'never' }))
    assert.deepEqual(verified, { ok: true, credentials, parameters })
  })

  const common =
    'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE/20260102/us-east-1/chime/aws4_request' +
    '&X-Amz-Date=20260102T030405Z&X-Amz-Expires=10&X-Amz-SignedHeaders=host'
  const asSigned: [how: string, query: string][] = [
    ['encoded as a form', `${common}&sessionId=a+b*&userArn=arn%3aaws`],
    ['not encoded at all', `${common}&sessionId=ü&userArn=arn:aws:chime/user`],
    ['not sorted', `userArn=arn&${common}&sessionId=1`],
    ['with a name twice and one without a value', `${common}&a=2&a=1&b&sessionId=1&userArn=arn`],
  ]
  for (const [how, query] of asSigned) {
    test(`a query ${how}, as long as it is signed as it is sent`, async () => {
      assert.ok((await verify(rawTarget(query))).ok)
    })
  }

  test('a plus as a plus, not as a space', async () => {
    const verified = await verify(rawTarget(`${common}&sessionId=a+b&userArn=arn`))
    assert.ok(verified.ok)
    assert.equal(verified.parameters.sessionId, 'a+b')
  })

  test('a query that was signed sorted but is sent in another order', async () => {
    const [path, query = ''] = rawTarget(`${common}&sessionId=(1)&userArn=arn`).split('?')
    assert.ok((await verify(`${path}?${query.split('&').reverse().join('&')}`)).ok)
  })

  test('a query that was signed as RFC 3986 encodes but is sent otherwise', async () => {
    const target = `/connect?${new URLSearchParams(parameters)}`
    const options = { credentials: temporary, signingDate: new Date(signedAtMs), expiresInSeconds: 500 }
    const pairs = await presign({ method: 'GET', target, headers: { host: host.toLowerCase() } }, options)
    const query = pairs.map((pair) => pair.map(encodeURIComponent).join('=')).join('&')
    assert.deepEqual(await verify(`/connect?${query}`), { ok: true, credentials: temporary, parameters })
  })

  const untilMs = signedAtMs + 10_000
  for (const [nowMs, accepted] of [
    [untilMs + 5 * minuteMs, true],
    [untilMs + 5 * minuteMs + 1000, false],
    [signedAtMs - 5 * minuteMs, true],
    [signedAtMs - 5 * minuteMs - 1000, false],
  ] as const) {
    test(`${accepted ? '' : 'but not '}a connect ${(nowMs - signedAtMs) / 1000} s after it was signed for 10 s`, async () => {
      assert.equal((await verify(await clientTarget(), { nowMs })).ok, accepted)
    })
  }

  test("a client's public host when a proxy has put another into the Host header", async () => {
    const target = await clientTarget()
    await assertRefused(target, mismatch, { host: 'backend:8080' })
    assert.ok((await verify(target, { host: 'backend:8080', publicHosts: ['other', host] })).ok)
  })
})

suite('refuses, with a reason', () => {
  const names = [
    'X-Amz-Algorithm',
    'X-Amz-Credential',
    'X-Amz-Date',
    'X-Amz-Expires',
    'X-Amz-SignedHeaders',
    'X-Amz-Signature',
    'sessionId',
    'userArn',
  ]
  for (const name of names) {
    test(`an address without ${name}`, async () => {
      const target = (await clientTarget()).replace(new RegExp(`${name}=[^&]*&?`), '')
      await assertRefused(target, `${name} is missing`)
    })
  }

  const credential = "Credential must be '<access key id>/<yyyyMMdd>/<region>/<service>/aws4_request'"
  const expires = 'X-Amz-Expires must be a number of seconds from 1 to 86400'
  const changes: [from: string, to: string, problem: string][] = [
    ['Z&X-Amz-Expires=10', 'Z&X-Amz-Expires=11', mismatch],
    ['sessionId=1', 'sessionId=2', mismatch],
    ['user%2Fann', 'user%2Fbob', mismatch],
    ['/connect?', '/connect?prefetch-on=connect&', mismatch],
    ['X-Amzn-Version', 'X-Amzn-Versio', mismatch],
    ['T030405Z', 'T030406Z', mismatch],
    ['AKIDEXAMPLE', 'AKIDOTHER', 'unknown access key'],
    ['AKIDEXAMPLE%2F', '', credential],
    ['us-east-1%2Fchime', 'eu-central-1%2Fchime', 'region is eu-central-1, expected us-east-1'],
    ['%2Fchime', '%2Fs3', 'service is s3, expected chime'],
    ['E%2F20260102', 'E%2F20260101', 'scope date differs'],
    ['HMAC-SHA256', 'HMAC-SHA1', 'X-Amz-Algorithm must be AWS4-HMAC-SHA256'],
    ['SignedHeaders=host', 'SignedHeaders=host%3Bx-amz-date', 'X-Amz-SignedHeaders must be host'],
    ['Date=2026', 'Date=26', "The date of the signature must be written 'yyyyMMddTHHmmssZ'"],
    ['Signature=', 'Signature=0', 'Signature must be 64 lower-case hexadecimal digits'],
    ['Expires=10', 'Expires=0', expires],
    ['Expires=10', 'Expires=86401', expires],
    ['Expires=10', 'Expires=1e1', expires],
  ]
  for (const [from, to, problem] of changes) {
    test(`an address in which '${from}' has become '${to}'`, async () => {
      const target = await clientTarget()
      assert.ok(target.includes(from))
      await assertRefused(target.replace(from, to), problem)
    })
  }

  test('the wrong secret', async () => {
    const target = await clientTarget(parameters, { ...credentials, secretAccessKey: 'another' })
    await assertRefused(target, mismatch)
  })

  test('a session token that is missing, wrong or expired', async () => {
    const problem = 'the session token is not the one of the access key'
    await assertRefused(await clientTarget(parameters, { ...credentials, sessionToken: 'x' }), problem)
    await assertRefused(await clientTarget(parameters, { ...temporary, sessionToken: 'x' }), problem)
    const keys = [{ ...temporary, expiresAtMs: signedAtMs }]
    await assertRefused(await clientTarget(parameters, temporary), 'the credentials have expired', { keys })
  })

  test('a region so long that the reason has to be cut', async () => {
    const target = (await clientTarget()).replace('us-east-1', 'r'.repeat(64))
    const verified = await verify(target, { region: `r${'ü'.repeat(64)}` })
    assert.ok(!verified.ok)
    assert.ok(Buffer.byteLength(verified.reason) <= 123)
  })

  test('an address that is too old or too new, naming both times', async () => {
    const target = await clientTarget()
    const late = 'the signature was valid until 20260102T030415Z, it is 20260102T031405Z here (check the clock)'
    await assertRefused(target, late, { nowMs: signedAtMs + 10 * minuteMs })
    const early = 'the signature is dated 20260102T030405Z, it is 20260102T025405Z here (check the clock)'
    await assertRefused(target, early, { nowMs: signedAtMs - 10 * minuteMs })
  })
})

test('never throws, whatever comes', async () => {
  const target = await clientTarget()
  const text = fc.oneof(
    fc.string(),
    fc.array(fc.nat(0xffff)).map((codes) => String.fromCharCode(...codes)),
    fc.constantFrom('%zz', '%', '%ff', '\ud800', '&', '=', '?', '__proto__=1', 'a'.repeat(20_000)),
  )
  const value = fc.constantFrom(...target.split('&').map((pair) => pair.slice(pair.indexOf('=') + 1)))
  await fc.assert(
    fc.asyncProperty(value, text, text, async (value, text, host) => {
      for (const hostile of [text, target.replace(value, text)]) {
        const verified = await verify(hostile, { host })
        assert.ok(!verified.ok && verified.reason.startsWith('Unauthorized: '))
        assert.ok(Buffer.byteLength(verified.reason) <= 123)
      }
    }),
  )
})
