import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { rootGrant } from '../../src/keys/grant.ts'
import { type SignedRequest, verifyRequest } from '../../src/signature/verify-request.ts'
import { presign, type UnsignedCall } from '../support/smithy-signer.ts'

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'an example, not a secret', grant: rootGrant }
const temporary = { ...credentials, accessKeyId: 'ASIAEXAMPLE', sessionToken: 'token+of/this=key' }
const signedAtMs = Date.UTC(2026, 0, 2, 3, 4, 5)
const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs

const channel = encodeURIComponent('arn:aws:chime:us-east-1:111122223333:app-instance/A/channel/ünï:c@d 1')
const user = 'arn:aws:chime:us-east-1:111122223333:app-instance/A/user/ann'
const host = '127.0.0.1:8080'
const bearing = { host, 'x-amz-chime-bearer': user }
const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

const get: UnsignedCall = { method: 'GET', target: `/channels/${channel}/messages?max-results=5`, headers: bearing }
const post: UnsignedCall = {
  method: 'POST',
  target: `/channels/${channel}/messages`,
  headers: { ...bearing, 'content-type': 'application/json' },
  body: '{"Content":"good morning ☀️"}',
}
const redact: UnsignedCall = {
  method: 'POST',
  target: `/channels/${channel}/messages/m?operation=redact`,
  headers: bearing,
}

interface Options {
  credentials?: typeof credentials & { sessionToken?: string }
  expiresInSeconds?: number
  /** Whether the bearer stays in its header. */
  keepBearer?: boolean
}

/** As the presigner of AWS's JavaScript SDK makes it: headers that begin with `x-amz-` move into the query. */
async function presigned(call: UnsignedCall, options: Options = {}): Promise<SignedRequest> {
  const { keepBearer = true, expiresInSeconds = 900, ...rest } = options
  const signing = { credentials, signingDate: new Date(signedAtMs), expiresInSeconds, ...rest }
  const unhoistableHeaders = new Set(keepBearer ? ['x-amz-chime-bearer'] : [])
  const pairs = await presign(call, { ...signing, unhoistableHeaders })
  const query = pairs.map((pair) => pair.map(encodeURIComponent).join('=')).join('&')
  const { 'x-amz-chime-bearer': bearer, 'x-amz-content-sha256': _, ...headers } = call.headers
  return {
    method: call.method,
    target: `${call.target.split('?')[0]}?${query}`,
    headers: { ...headers, ...(keepBearer && bearer !== undefined && { 'x-amz-chime-bearer': bearer }) },
    body: Buffer.from(call.body ?? ''),
  }
}

const verify = (request: SignedRequest, nowMs = signedAtMs, publicHosts: string[] = []) =>
  verifyRequest(
    request,
    (id) => [credentials, temporary].find((key) => key.accessKeyId === id),
    { region: 'us-east-1', service: 'chime', publicHosts },
    nowMs,
  )

async function rejectionOf(request: SignedRequest, nowMs?: number) {
  const verified = await verify(request, nowMs)
  assert.ok(!verified.ok, 'accepted')
  const { type, status, message, detail } = verified.rejection
  return { type, status, message, problem: detail.problem }
}

const withHeaders = (request: SignedRequest, headers: SignedRequest['headers']): SignedRequest => ({
  ...request,
  headers: { ...request.headers, ...headers },
})
const withTarget = (request: SignedRequest, from: string | RegExp, to: string): SignedRequest => {
  const target = request.target.replace(from, to)
  assert.notEqual(target, request.target, `there is no ${from}`)
  return { ...request, target }
}

suite('accepts', () => {
  for (const [name, call] of Object.entries({
    'a GET': get,
    'a POST with a body': post,
    'a POST without one': redact,
  })) {
    test(`${name} of the JavaScript SDK's presigner, with the bearer in its header`, async () => {
      assert.deepEqual(await verify(await presigned(call)), { ok: true, credentials, bearer: user })
    })

    test(`${name} of that presigner, with the bearer in the query`, async () => {
      const request = await presigned(call, { keepBearer: false })
      assert.equal(request.headers['x-amz-chime-bearer'], undefined)
      assert.deepEqual(await verify(request), { ok: true, credentials, bearer: user })
    })

    test(`${name} signed by temporary keys`, async () => {
      assert.ok((await verify(await presigned(call, { credentials: temporary }))).ok)
    })
  }

  const path = `/channels/arn%3Aaws%3Achime%3Aus-east-1%3A111122223333%3Aapp-instance%2FA%2Fchannel`
  const boto = (query: string, signedHeaders: string, signature: string, key = 'AKIDEXAMPLE') =>
    `${path}%2F%C3%BCn%C3%AF%3Ac%40d%201/${query}&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${key}%2F20260102%2Fus-east-1%2Fchime%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=${signedHeaders}&X-Amz-Signature=${signature}`

  test("boto3's generate_presigned_url: a read, with an empty member", async () => {
    const signature = 'd6130ae99d2934cfbdb94d6513e32132a28fed5eb23a349ea7b36d09bf8fb339'
    const target = boto('messages?max-results=5&next-token=', 'host%3Bx-amz-chime-bearer', signature)
    const request = { method: 'GET', target, headers: bearing, body: Buffer.alloc(0) }
    assert.ok((await verify(request, signedAtMs + 60 * minuteMs)).ok)
  })

  test("boto3's generate_presigned_url: a write, which signs its Content-Type", async () => {
    const signature = '2f30f5ea643a48b519ef05b1c73f260b569fe11a3e4e9e2da0444a7108769623'
    const target = boto('messages/m?operation=redact', 'content-type%3Bhost%3Bx-amz-chime-bearer', signature)
    const headers = { ...bearing, 'content-type': 'application/json' }
    assert.ok((await verify({ method: 'POST', target, headers, body: Buffer.alloc(0) })).ok)
  })

  test("boto3's generate_presigned_url: by temporary keys", async () => {
    const signature = '69e48323032241ece558f2d0004aa16942db5a2a1f914a1cb005f2bc2554af4f'
    const signedHeaders = 'host%3Bx-amz-chime-bearer&X-Amz-Security-Token=token%2Bof%2Fthis%3Dkey'
    const target = boto('messages?max-results=5&next-token=', signedHeaders, signature, 'ASIAEXAMPLE')
    assert.ok((await verify({ method: 'GET', target, headers: bearing, body: Buffer.alloc(0) })).ok)
  })

  const aws4fetch = (query: string, signature: string) =>
    `${path}%2Fc/messages?${query}X-Amz-Date=20260102T030405Z&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Fus-east-1%2Fchime%2Faws4_request&X-Amz-SignedHeaders=host%3Bx-amz-chime-bearer&X-Amz-Signature=${signature}`

  for (const [method, query, body, signature] of [
    ['GET', 'max-results=5&', '', '0bfb1d722816d6d842e113e380daf646c158c0c6b509baacf4a1d8d835bcd83d'],
    ['POST', '', '{"Content":"good morning ☀️"}', '6f95276c70a3ebeb271fc4953bb561cc16141ad6d24dcf2e53a314d2d6b706b7'],
  ] as const) {
    test(`aws4fetch's signQuery: a ${method}, which has no X-Amz-Expires and is good for 15 minutes`, async () => {
      const request = { method, target: aws4fetch(query, signature), headers: bearing, body: Buffer.from(body) }
      assert.ok((await verify(request, signedAtMs + 15 * minuteMs)).ok)
      assert.ok(!(await verify(request, signedAtMs + 20 * minuteMs + 1000)).ok)
    })
  }

  test('a bearer that is in a signed header and in the query, if it is the same', async () => {
    const request = await presigned({ ...get, target: `${get.target}&x-amz-chime-bearer=${encodeURIComponent(user)}` })
    assert.deepEqual(await verify(request), { ok: true, credentials, bearer: user })
  })

  test('the hash of the body, moved into the query', async () => {
    const hash = { 'x-amz-content-sha256': emptyHash }
    const request = await presigned({ ...get, headers: { ...get.headers, ...hash } })
    assert.match(request.target, /x-amz-content-sha256=e3b0/)
    assert.ok((await verify(request)).ok)
  })

  test("a client's public host when a proxy has put another into the Host header", async () => {
    const request = withHeaders(await presigned(get), { host: 'backend' })
    assert.ok(!(await verify(request)).ok)
    assert.ok((await verify(request, signedAtMs, ['other', host])).ok)
  })
})

suite('is good for a time', () => {
  for (const [call, expiresInSeconds, afterMs, accepted] of [
    [get, 604_800, 7 * dayMs + 5 * minuteMs, true],
    [get, 604_800, 7 * dayMs + 5 * minuteMs + 1000, false],
    [get, 60, 6 * minuteMs, true],
    [get, 60, 6 * minuteMs + 1000, false],
    [get, 60, -5 * minuteMs, true],
    [get, 60, -5 * minuteMs - 1000, false],
    [post, 60, 6 * minuteMs, true],
    [post, 60, 6 * minuteMs + 1000, false],
    [post, 900, 15 * minuteMs, true],
    [post, 900, 15 * minuteMs + 1000, false],
    [post, 604_800, 15 * minuteMs, true],
    [post, 604_800, 15 * minuteMs + 1000, false],
  ] as const) {
    test(`a ${call.method} for ${expiresInSeconds} s ${accepted ? 'is' : 'is not'} after ${afterMs / 1000} s`, async () => {
      assert.equal((await verify(await presigned(call, { expiresInSeconds }), signedAtMs + afterMs)).ok, accepted)
    })
  }

  test('and the rejection names both times, and the rule for writes', async () => {
    const late = await presigned(post, { expiresInSeconds: 3600 })
    const { type, status, message } = await rejectionOf(late, signedAtMs + 20 * minuteMs)
    assert.deepEqual([type, status], ['InvalidSignature', 403])
    assert.match(
      message,
      /valid until 20260102T031905Z, it is 20260102T032405Z here .*; a POST is accepted for 15 minutes/,
    )
  })
})

suite('refuses', () => {
  const mismatch = 'the signature does not match (check the secret key and the Host header)'
  const other = encodeURIComponent('arn:aws:chime:us-east-1:111122223333:app-instance/A/user/bob')
  const changes: [
    what: string,
    call: UnsignedCall,
    change: (request: SignedRequest) => SignedRequest,
    RegExp | string,
  ][] = [
    ['another path', get, (request) => withTarget(request, 'channels', 'channel'), mismatch],
    ['another query', get, (request) => withTarget(request, 'max-results=5', 'max-results=6'), mismatch],
    ['a longer query', get, (request) => withTarget(request, '?', '?a=1&'), mismatch],
    ['another method', redact, (request) => ({ ...request, method: 'PUT' }), mismatch],
    ['another body', post, (request) => ({ ...request, body: Buffer.from('{}') }), mismatch],
    ['a body where none was signed', redact, (request) => ({ ...request, body: Buffer.from('{}') }), mismatch],
    ['another host', get, (request) => withHeaders(request, { host: 'localhost' }), mismatch],
    ['another bearer', get, (request) => withHeaders(request, { 'x-amz-chime-bearer': 'bob' }), mismatch],
    ['a longer time', get, (request) => withTarget(request, 'Expires=900', 'Expires=901'), mismatch],
    ['another date', get, (request) => withTarget(request, 'T030405Z', 'T030406Z'), mismatch],
    ['another signature', get, (request) => withTarget(request, /Signature=.{4}/, 'Signature=0000'), mismatch],
    [
      'a bearer that is not signed',
      { ...get, headers: { host } },
      (request) => withHeaders(request, { 'x-amz-chime-bearer': user }),
      'x-amz-chime-bearer is not signed',
    ],
    [
      'a session token in a header that is not signed',
      get,
      (request) => withHeaders(request, { 'x-amz-security-token': 'x' }),
      'x-amz-security-token is not signed',
    ],
    [
      'two bearers',
      { ...get, target: `${get.target}&x-amz-chime-bearer=${other}` },
      (request) => request,
      'x-amz-chime-bearer must be there once, in a header or in the query',
    ],
    [
      'a signature in both places',
      get,
      (request) => withHeaders(request, { authorization: 'AWS4-HMAC-SHA256 Credential=a' }),
      'The signature must be in the Authorization header or in the query, not in both.',
    ],
    [
      'another hash in a header',
      get,
      (request) => withHeaders(request, { 'x-amz-content-sha256': '0'.repeat(64) }),
      'body hash differs from x-amz-content-sha256',
    ],
    [
      'an unsigned payload',
      { ...post, headers: { ...post.headers, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } },
      (request) => request,
      /unsigned and streaming payloads are not accepted/,
    ],
    [
      'a parameter twice',
      get,
      (request) => withTarget(request, '?', '?X-Amz-Date=1&'),
      'X-Amz-Date must be there once',
    ],
    [
      'another region',
      get,
      (request) => withTarget(request, 'us-east-1%2Fchime', 'eu-west-1%2Fchime'),
      'region is eu-west-1, expected us-east-1',
    ],
    ['another day', get, (request) => withTarget(request, 'E%2F20260102', 'E%2F20260101'), 'scope date differs'],
    ['another key', get, (request) => withTarget(request, 'AKIDEXAMPLE', 'AKIDOTHER'), 'unknown access key'],
    [
      'another algorithm',
      get,
      (request) => withTarget(request, 'HMAC-SHA256', 'HMAC-SHA1'),
      /must be AWS4-HMAC-SHA256/,
    ],
    ['no time at all', get, (request) => withTarget(request, 'Expires=900', 'Expires=0'), /from 1 to 604800$/],
    [
      'more than seven days',
      get,
      (request) => withTarget(request, 'Expires=900', 'Expires=604801'),
      /from 1 to 604800$/,
    ],
  ]
  for (const [what, call, change, problem] of changes) {
    test(what, async () => {
      const rejection = await rejectionOf(change(await presigned(call)))
      if (typeof problem === 'string') assert.equal(rejection.problem, problem)
      else assert.match(rejection.problem, problem)
      assert.ok([400, 403].includes(rejection.status))
    })
  }

  for (const name of ['Algorithm', 'Credential', 'Date', 'SignedHeaders', 'Signature'].map((end) => `X-Amz-${end}`)) {
    test(`an address without ${name}`, async () => {
      const { type, status, problem } = await rejectionOf(
        withTarget(await presigned(get), new RegExp(`${name}=[^&]*&?`), ''),
      )
      assert.deepEqual([type, status, problem], ['IncompleteSignature', 400, `${name} is missing`])
    })
  }

  test('host that is not signed', async () => {
    const request = withTarget(await presigned(get), 'SignedHeaders=host%3B', 'SignedHeaders=')
    assert.equal((await rejectionOf(request)).problem, 'host is not signed')
  })

  test('the wrong session token', async () => {
    const request = await presigned(get, { credentials: { ...temporary, sessionToken: 'x' } })
    assert.equal((await rejectionOf(request)).problem, 'the session token is not the one of the access key')
  })
})

test('never throws, whatever comes', async () => {
  const request = await presigned(get)
  const text = fc.oneof(fc.string(), fc.constantFrom('%zz', '%', '%ff', '\ud800', '&', '=', '?', 'a'.repeat(20_000)))
  const value = fc.constantFrom(...request.target.split('&').map((pair) => pair.slice(pair.indexOf('=') + 1)))
  await fc.assert(
    fc.asyncProperty(value, text, async (value, text) => {
      fc.pre(text !== value)
      const hostile = { ...request, target: request.target.replace(value, () => text) }
      assert.ok(!(await verify(hostile)).ok)
    }),
  )
})
