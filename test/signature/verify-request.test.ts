import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { rootGrant } from '../../src/keys/grant.ts'
import type { Key } from '../../src/keys/key.ts'
import { type SignedRequest, verifyRequest } from '../../src/signature/verify-request.ts'
import { sign, type UnsignedCall } from '../support/smithy-signer.ts'

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'an example, not a secret', grant: rootGrant }
const temporary = { ...credentials, accessKeyId: 'ASIAEXAMPLE', sessionToken: 'token+of/this=key' }
const signedAtMs = Date.UTC(2026, 0, 2, 3, 4, 5)
const minuteMs = 60_000

const channel = encodeURIComponent('arn:aws:chime:us-east-1:111122223333:app-instance/A/channel/ünï:c@d 1')
const user = 'arn:aws:chime:us-east-1:111122223333:app-instance/A/user/ann'

const post: UnsignedCall = {
  method: 'POST',
  target: `/channels/${channel}/messages`,
  headers: {
    host: '127.0.0.1:8080',
    'content-type': 'application/json',
    'amz-sdk-request': 'attempt=1;  max=3',
    'x-amz-chime-bearer': user,
  },
  body: '{"Content":"good morning ☀️"}',
}
const get: UnsignedCall = {
  method: 'GET',
  target: `/channels/${channel}/messages?sort-order=DESCENDING&next-token=a%2Bb%2F%3D&scope=message-status&max-results=5`,
  headers: { host: 'chime.example.com', 'x-amz-chime-bearer': user },
}

const verify = (request: SignedRequest, nowMs = signedAtMs, keys: Key[] = [credentials, temporary]) =>
  verifyRequest(
    request,
    (id) => keys.find((key) => key.accessKeyId === id),
    { region: 'us-east-1', service: 'chime' },
    nowMs,
  )

const signed = (call: UnsignedCall, options: Partial<Parameters<typeof sign>[1]> = {}): Promise<SignedRequest> =>
  sign(call, { credentials, signingDate: new Date(signedAtMs), ...options })

async function rejectionOf(request: SignedRequest, nowMs?: number, keys?: Key[]) {
  const verified = await verify(request, nowMs, keys)
  assert.ok(!verified.ok, 'accepted')
  return verified.rejection
}

const withHeaders = (request: SignedRequest, headers: SignedRequest['headers']): SignedRequest => ({
  ...request,
  headers: { ...request.headers, ...headers },
})

const withAuthorization = (request: SignedRequest, change: (authorization: string) => string): SignedRequest =>
  withHeaders(request, { authorization: change(request.headers.authorization!) })

suite('accepts', () => {
  for (const [call, name] of [
    [post, 'a POST with a body'],
    [get, 'a GET with a query'],
    [{ method: 'PUT', target: '/a/../channels//x/', headers: { host: 'h' } }, 'a path that is not normal'],
    [{ method: 'GET', target: "/channels?b=!'()*&b=+&a", headers: { host: 'h' } }, 'a query encoded loosely'],
  ] as const) {
    for (const applyChecksum of [true, false]) {
      test(`${name}, ${applyChecksum ? 'with' : 'without'} its hash in a header`, async () => {
        assert.deepEqual(await verify(await signed(call, { applyChecksum })), { ok: true, credentials })
      })
    }
  }

  test('what boto sends: Content-Length, User-Agent and further headers are not signed', async () => {
    const request = await signed(post, { applyChecksum: false })
    const unsigned = { 'content-length': '31', 'user-agent': 'Boto3/1.43.11', 'amz-sdk-invocation-id': 'x' }
    assert.ok((await verify(withHeaders(request, unsigned))).ok)
  })

  test('a Date header instead of x-amz-date, as boto writes and signs it', async () => {
    const signature = 'f9209946e980dc25002ff0742b6684bc25c009d9853558c064fac5d6ba4b28c8'
    const headers = {
      'x-amz-chime-bearer': 'ann',
      host: 'localhost:8080',
      date: 'Fri, 02 Jan 2026 03:04:05 -0000',
      authorization: `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1/chime/aws4_request, SignedHeaders=date;host;x-amz-chime-bearer, Signature=${signature}`,
    }
    const target = '/channels?app-instance-arn=a%2Fb'
    assert.ok((await verify({ method: 'GET', target, headers, body: Buffer.alloc(0) })).ok)
  })

  test('parameters of the Authorization header in any order, without blanks', async () => {
    const reorder = (authorization: string) =>
      `AWS4-HMAC-SHA256 ${authorization.slice('AWS4-HMAC-SHA256 '.length).split(', ').reverse().join(',')}`
    assert.ok((await verify(withAuthorization(await signed(post), reorder))).ok)
  })

  test('a session token that belongs to the key, until it expires', async () => {
    const request = await signed(post, { credentials: temporary })
    assert.ok((await verify(request)).ok)
    const expiring = [{ ...temporary, expiresAtMs: signedAtMs }]
    assert.ok((await verify(request, signedAtMs - 1, expiring)).ok)
    const { type, status } = await rejectionOf(request, signedAtMs, expiring)
    assert.deepEqual({ type, status }, { type: 'ExpiredToken', status: 403 })
  })

  test("a client's public host when a proxy has put another into the Host header", async () => {
    const { headers, ...request } = await signed(get)
    const behindProxy = { ...request, headers: { ...headers, host: 'backend:8080' } }
    assert.equal((await rejectionOf(behindProxy)).type, 'InvalidSignature')
    const publicHosts = ['other', 'Chime.example.com']
    const verified = verifyRequest(
      behindProxy,
      () => credentials,
      { region: 'us-east-1', service: 'chime', publicHosts },
      signedAtMs,
    )
    assert.deepEqual(await verified, { ok: true, credentials })
  })

  test('a key that has to be waited for', async () => {
    const verified = verifyRequest(
      await signed(post),
      async () => credentials,
      { region: 'us-east-1', service: 'chime' },
      signedAtMs,
    )
    assert.ok((await verified).ok)
  })

  for (const [offMs, accepted] of [
    [15 * minuteMs, true],
    [15 * minuteMs + 1000, false],
    [-15 * minuteMs, true],
    [-15 * minuteMs - 1000, false],
  ] as const) {
    test(`${accepted ? '' : 'but not '}a clock that is ${-offMs / 1000} s ahead`, async () => {
      assert.equal((await verify(await signed(post), signedAtMs + offMs)).ok, accepted)
    })
  }
})

suite('refuses a call that was changed on the way', () => {
  const mismatch = 'the signature does not match (check the secret key and the Host header)'
  const wrongHash = 'body hash differs from x-amz-content-sha256'
  const dropSigned = (name: string) => (request: SignedRequest) =>
    withAuthorization(request, (authorization) => authorization.replace(new RegExp(`${name};|;${name}`), ''))
  const hello = Buffer.from('hello')
  const hashOfHello = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'

  const changes: [what: string, change: (request: SignedRequest) => SignedRequest, problem: string][] = [
    ['path', (request) => ({ ...request, target: request.target.replace('1/', '2/') }), mismatch],
    ['escaping of the path', (request) => ({ ...request, target: request.target.replace('%3A', ':') }), mismatch],
    ['query', (request) => ({ ...request, target: `${request.target}?operation=redact` }), mismatch],
    ['method', (request) => ({ ...request, method: 'PUT' }), mismatch],
    ['body', (request) => ({ ...request, body: hello }), wrongHash],
    ['hash of the body', (request) => withHeaders(request, { 'x-amz-content-sha256': hashOfHello }), wrongHash],
    [
      'body and its hash',
      (request) => withHeaders({ ...request, body: hello }, { 'x-amz-content-sha256': hashOfHello }),
      mismatch,
    ],
    ['bearer', (request) => withHeaders(request, { 'x-amz-chime-bearer': `${user}a` }), mismatch],
    ['bearer, dropped from SignedHeaders', dropSigned('x-amz-chime-bearer'), 'x-amz-chime-bearer is not signed'],
    ['host', (request) => withHeaders(request, { host: 'localhost' }), mismatch],
    ['host, dropped from SignedHeaders', dropSigned('host'), 'host is not signed'],
    ['minute', (request) => withHeaders(request, { 'x-amz-date': '20260102T030505Z' }), mismatch],
    ['day', (request) => withHeaders(request, { 'x-amz-date': '20260103T030405Z' }), 'scope date differs'],
    ['date, dropped from SignedHeaders', dropSigned('x-amz-date'), 'x-amz-date is not signed'],
    [
      'value of a signed header',
      (request) => withHeaders(request, { 'amz-sdk-request': 'attempt=2; max=3' }),
      mismatch,
    ],
    [
      'presence of a signed header',
      (request) => withHeaders(request, { 'amz-sdk-request': undefined }),
      'signed header amz-sdk-request is missing',
    ],
    [
      'session token, added',
      (request) => withHeaders(request, { 'x-amz-security-token': 'x' }),
      'x-amz-security-token is not signed',
    ],
    [
      'signature',
      (request) => withAuthorization(request, (text) => text.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))),
      mismatch,
    ],
  ]
  for (const [what, change, problem] of changes) {
    test(what, async () => {
      const { type, status, detail } = await rejectionOf(change(await signed(post)))
      assert.deepEqual([type, status, detail.problem], ['InvalidSignature', 403, problem])
    })
  }

  test('body, when only the signature covers its hash', async () => {
    const request = await signed(post, { applyChecksum: false })
    assert.equal((await rejectionOf({ ...request, body: hello })).detail.problem, mismatch)
  })

  for (const name of ['constructor', '__proto__', 'toString', 'X-Amz-Date', '']) {
    test(`a signed header named '${name}', which no call has`, async () => {
      const add = (authorization: string) => authorization.replace('SignedHeaders=', `SignedHeaders=${name};`)
      const { detail } = await rejectionOf(withAuthorization(await signed(post), add))
      assert.equal(detail.problem, `signed header ${name} is missing`)
    })
  }

  test('bearer, added to a call that had none', async () => {
    const request = await signed({ ...post, headers: { host: 'localhost' } })
    const { detail } = await rejectionOf(withHeaders(request, { 'x-amz-chime-bearer': user }))
    assert.equal(detail.problem, 'x-amz-chime-bearer is not signed')
  })
})

suite('refuses a key that it does not know', () => {
  const invalidToken = 'The security token included in the request is invalid.'
  const wrongToken = 'the session token is not the one of the access key'
  const cases: [what: string, signer: Key, problem: string][] = [
    ['an unknown access key', { ...credentials, accessKeyId: 'AKIDOTHER' }, 'unknown access key'],
    ['a session token for a key that has none', { ...credentials, sessionToken: 'x' }, wrongToken],
    ['no session token for a key that has one', { ...credentials, accessKeyId: 'ASIAEXAMPLE' }, wrongToken],
    ["another key's session token", { ...temporary, sessionToken: 'token+of/that=key' }, wrongToken],
  ]
  for (const [what, signer, problem] of cases) {
    test(what, async () => {
      const { type, status, message, detail } = await rejectionOf(await signed(post, { credentials: signer }))
      assert.deepEqual([type, status, message], ['UnrecognizedClient', 403, invalidToken])
      assert.deepEqual(detail, { problem, accessKeyId: signer.accessKeyId })
    })
  }

  test('the wrong secret, and shows what should have been signed but no secret', async () => {
    const wrong = { ...credentials, secretAccessKey: 'another' }
    const rejection = await rejectionOf(await signed(post, { credentials: wrong }))
    assert.equal(rejection.type, 'InvalidSignature')
    assert.match(rejection.message, /^The request signature we calculated does not match the signature you provided\./)
    assert.match(rejection.detail.stringToSign!, /^AWS4-HMAC-SHA256\n20260102T030405Z\n20260102\/us-east-1\/chime\//)
    assert.ok(!JSON.stringify(rejection).includes(credentials.secretAccessKey))
  })

  test('the wrong secret, and shows neither the session token nor more than 4096 characters', async () => {
    const wrong = { ...temporary, secretAccessKey: 'another' }
    const headers = { ...post.headers, 'x-long': 'a'.repeat(5000) }
    const { detail } = await rejectionOf(await signed({ ...post, headers }, { credentials: wrong }))
    assert.match(detail.canonicalRequest!, /^POST\n.*\nx-amz-security-token:…\nx-long:a+$/s)
    assert.equal(detail.canonicalRequest!.replace('…', temporary.sessionToken).length, 4096)
  })
})

suite('refuses a scope or time that is not its own, and names both', () => {
  test('another region', async () => {
    const { type, message, detail } = await rejectionOf(await signed(post, { region: 'eu-central-1' }))
    assert.deepEqual([type, detail.problem], ['InvalidSignature', 'region is eu-central-1, expected us-east-1'])
    assert.match(message, /'us-east-1', not 'eu-central-1'/)
  })

  test('another service', async () => {
    const { type, message, detail } = await rejectionOf(await signed(post, { service: 's3' }))
    assert.deepEqual([type, detail.problem], ['InvalidSignature', 'service is s3, expected chime'])
    assert.equal(message, "Credential should be scoped to correct service: 'chime', not 's3'.")
    const forSts = await rejectionOf(await signed(post, { service: 'sts' }))
    assert.equal(forSts.detail.problem, 'service is sts, expected chime')
    const expected = { region: 'us-east-1', service: 'sts' } as const
    const verified = await verifyRequest(await signed(post), () => credentials, expected, signedAtMs)
    assert.ok(!verified.ok)
    assert.equal(verified.rejection.detail.problem, 'service is chime, expected sts')
    assert.ok((await verifyRequest(await signed(post, { service: 'sts' }), () => credentials, expected, signedAtMs)).ok)
  })

  test('a clock that is late', async () => {
    const rejection = await rejectionOf(await signed(post), signedAtMs + 20 * minuteMs)
    assert.equal(
      rejection.message,
      'Signature expired: 20260102T030405Z is now earlier than 20260102T030905Z (20260102T032405Z - 15 min.)',
    )
    const detail = { problem: 'clock skew', requestTime: '20260102T030405Z', serverTime: '20260102T032405Z' }
    assert.deepEqual([rejection.type, rejection.detail], ['InvalidSignature', detail])
  })

  test('a clock that is early', async () => {
    assert.equal(
      (await rejectionOf(await signed(post), signedAtMs - 20 * minuteMs)).message,
      'Signature not yet current: 20260102T030405Z is still later than 20260102T025905Z (20260102T024405Z + 15 min.)',
    )
  })
})

suite('refuses an Authorization header that it cannot read, and says what it lacks', () => {
  test('none at all', async () => {
    const { type, status, message } = await rejectionOf({ ...get, headers: get.headers, body: Buffer.alloc(0) })
    assert.deepEqual(
      { type, status, message },
      { type: 'MissingAuthenticationToken', status: 403, message: 'Missing Authentication Token' },
    )
  })

  const drop = (parameter: string) => (authorization: string) =>
    `AWS4-HMAC-SHA256 ${authorization
      .slice('AWS4-HMAC-SHA256 '.length)
      .split(', ')
      .filter((text) => !text.startsWith(parameter))
      .join(', ')}`
  const malformedCredential = "Credential must be '<access key id>/<yyyyMMdd>/<region>/<service>/aws4_request'"
  const malformed: [what: string, change: (authorization: string) => string, message: string][] = [
    ['another scheme', () => 'Bearer abc', "Authorization header requires 'AWS4-HMAC-SHA256'."],
    ['no Credential', drop('Credential'), "Authorization header requires 'Credential' parameter."],
    ['no SignedHeaders', drop('SignedHeaders'), "Authorization header requires 'SignedHeaders' parameter."],
    [
      'nothing but a Signature',
      () => 'AWS4-HMAC-SHA256 Signature=0',
      "Authorization header requires 'Credential' parameter. Authorization header requires 'SignedHeaders' parameter.",
    ],
    [
      'two headers that were joined',
      (text) => `${text}, ${text}`,
      'Authorization header requires each parameter once.',
    ],
    ['a scope of three parts', (text) => text.replace('/us-east-1/', '/'), malformedCredential],
    ['a scope with another ending', (text) => text.replace('aws4_request', 'aws5_request'), malformedCredential],
    ['a scope date of seven digits', (text) => text.replace('20260102', '2026012'), malformedCredential],
    ['an access key of 200 characters', (text) => text.replace('AKIDEXAMPLE', 'A'.repeat(200)), malformedCredential],
    ['a short Signature', (text) => text.slice(0, -1), 'Signature must be 64 lower-case hexadecimal digits'],
    [
      'too many SignedHeaders',
      (text) => text.replace('SignedHeaders=', `SignedHeaders=${'a;'.repeat(1024)}`),
      'SignedHeaders must have at most 2048 characters',
    ],
  ]
  for (const [what, change, message] of malformed) {
    test(what, async () => {
      const rejection = await rejectionOf(withAuthorization(await signed(post), change))
      assert.deepEqual([rejection.type, rejection.status, rejection.message], ['IncompleteSignature', 400, message])
    })
  }

  test('two headers', async () => {
    const request = await signed(post)
    const twice = [request.headers.authorization, request.headers.authorization] as unknown as string
    const { type, message } = await rejectionOf(withHeaders(request, { authorization: twice }))
    assert.deepEqual([type, message], ['IncompleteSignature', 'Authorization header requires each parameter once.'])
  })

  test('no date', async () => {
    const { type, message } = await rejectionOf(withHeaders(await signed(post), { 'x-amz-date': undefined }))
    assert.equal(type, 'IncompleteSignature')
    assert.equal(message, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
  })

  for (const date of ['2026-01-02T03:04:05Z', 'yesterday', 'yesterday GMT', '20260102T030405Z, 20260102T030405Z']) {
    test(`the date ${date}`, async () => {
      const { type, message } = await rejectionOf(withHeaders(await signed(post), { 'x-amz-date': date }))
      assert.equal(type, 'IncompleteSignature')
      assert.equal(message, "The date of the signature must be written 'yyyyMMddTHHmmssZ'")
    })
  }

  for (const payload of ['UNSIGNED-PAYLOAD', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD']) {
    test(`the payload ${payload}`, async () => {
      const call = { ...post, headers: { ...post.headers, 'x-amz-content-sha256': payload } }
      const { type, message } = await rejectionOf(await signed(call))
      assert.equal(type, 'IncompleteSignature')
      assert.match(message, /unsigned and streaming payloads are not accepted/)
    })
  }
})

suite('never throws, whatever comes', () => {
  const text = fc.oneof(
    fc.string(),
    fc.array(fc.nat(0xffff)).map((codes) => String.fromCharCode(...codes)),
    fc.constantFrom('__proto__', 'constructor', '%zz', '%', '\ud800', ';;', ',,=', 'a'.repeat(20_000)),
  )
  const value = fc.oneof(text, fc.array(text), fc.constant(undefined))
  const name = fc.oneof(
    text,
    fc.constantFrom('authorization', 'host', 'date', 'x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token'),
  )
  const headers = fc.dictionary(name, value) as fc.Arbitrary<SignedRequest['headers']>
  const call = fc.record({ method: text, target: text, headers, body: fc.uint8Array() })

  test('any headers and any target', async () => {
    await fc.assert(
      fc.asyncProperty(call, async (request) => {
        assert.equal((await verify(request)).ok, false)
      }),
    )
  })

  test('a signed call with anything in place of any part', async () => {
    const original = await signed(post)
    const authorization = fc
      .record({ credential: text, signedHeaders: text, signature: text }, { requiredKeys: [] })
      .map(({ credential, signedHeaders, signature }) =>
        original.headers
          .authorization!.replace(/AKIDEXAMPLE/, (key) => credential ?? key)
          .replace(/x-amz-chime-bearer/, (header) => signedHeaders ?? header)
          .replace(/[0-9a-f]{64}/, (digits) => signature ?? digits),
      )
    await fc.assert(
      fc.asyncProperty(call, authorization, async (change, authorization) => {
        const headers = { ...original.headers, authorization, ...change.headers }
        assert.equal((await verify({ ...original, headers, target: change.target })).ok, false)
      }),
    )
  })
})
