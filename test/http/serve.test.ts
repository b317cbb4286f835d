import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError, conflict, notFound } from '../../src/contract/api-error.ts'
import { rootGrant } from '../../src/keys/grant.ts'
import type { Rejection } from '../../src/signature/rejection.ts'
import { type Answered, ListBells, listen } from './listening.ts'

const bell = '/bells/arn%3Aaws%2Fbell'
const bearer = { 'x-amz-chime-bearer': 'arn:aws:chime:user' }

const errorOf = ({ status, headers, text }: Answered) => [status, headers['x-amzn-errortype'], JSON.parse(text).Code]
const messageOf = ({ text }: Answered): string => JSON.parse(text).Message

test('a good call is answered with its status, its output as JSON and a request id', async (t) => {
  let seen: object = {}
  const { call, log } = await listen(t, {
    act: (input) => {
      seen = input
      return { Name: 'Große Glocke', Owner: undefined }
    },
  })
  const answer = await call('POST', '/bells', { body: '{"Name":"b","Metadata":null,"Unknown":1}' })
  assert.deepEqual([answer.status, answer.text], [201, '{"Name":"Große Glocke"}'])
  assert.deepEqual(seen, { Name: 'b' })
  assert.equal(answer.headers['content-type'], 'application/json')
  assert.equal(answer.headers['content-length'], '24')
  assert.equal(answer.headers['x-amzn-requestid'], 'request-1')
  assert.ok(answer.headers.date)
  assert.deepEqual(log, [
    {
      level: 'debug',
      text: 'request completed',
      requestId: 'request-1',
      method: 'POST',
      path: '/bells',
      operation: 'CreateBell',
      status: 201,
    },
  ])
})

test('an operation without output answers {}, and 204 without a body', async (t) => {
  const { call } = await listen(t)
  assert.equal((await call('GET', bell, { headers: bearer })).text, '{}')
  const deleted = await call('DELETE', `${bell}/hangers/h`)
  assert.deepEqual([deleted.status, deleted.text], [204, ''])
  assert.equal(deleted.headers['content-type'], undefined)
})

test('the operation is given its facts, credentials, request id and address by contextFor', async (t) => {
  const calls: unknown[] = []
  const { call, port } = await listen(t, {
    contextFor: (call) => {
      calls.push(call)
      return call
    },
  })
  await call('GET', '/bells', { headers: { 'amz-sdk-invocation-id': 'i-1' } })
  const credentials = { accessKeyId: 'AKIA', secretAccessKey: 'secret', grant: rootGrant }
  const ids = { requestId: 'request-1', invocationId: 'i-1' }
  const host = `127.0.0.1:${port}`
  assert.deepEqual(calls, [{ operation: ListBells, credentials, address: '127.0.0.1', host, ...ids }])
})

test('the signature is checked over the bytes as they came', async (t) => {
  const seen: unknown[] = []
  const { call } = await listen(t, {
    authenticate: async ({ method, target, headers, body }) => {
      seen.push(method, target, headers['x-amz-date'], Buffer.from(body).toString())
      return { ok: true, credentials: { accessKeyId: 'AKIA', secretAccessKey: 'secret', grant: rootGrant } }
    },
  })
  await call('POST', '/bells?a=%2f+&b', { headers: { 'X-Amz-Date': '20260102T030405Z' }, body: ' {"Name": "ü"}' })
  assert.deepEqual(seen, ['POST', '/bells?a=%2f+&b', '20260102T030405Z', ' {"Name": "ü"}'])
})

test('the checks come in this order: route, size, signature, input', async (t) => {
  const rejection: Rejection = { type: 'InvalidSignature', status: 403, message: 'no', detail: { problem: 'p' } }
  const { call } = await listen(t, { authenticate: async () => ({ ok: false, rejection }) })
  const large = 'x'.repeat(1024 * 1024 + 1)
  const unknown = await call('POST', '/unknown', { body: large })
  assert.deepEqual(errorOf(unknown), [404, 'UnknownOperationException', 'UnknownOperation'])
  assert.deepEqual(errorOf(await call('POST', '/bells', { body: large })), [413, 'BadRequestException', 'BadRequest'])
  const unsigned = await call('POST', '/bells', { body: 'not JSON' })
  assert.deepEqual(errorOf(unsigned), [403, 'InvalidSignatureException', 'InvalidSignature'])
})

test('a refused signature is answered with its text, and logged with its reason', async (t) => {
  const detail = { problem: 'the clock is off', serverTime: '20260102T030405Z' }
  const rejection: Rejection = { type: 'IncompleteSignature', status: 400, message: 'It lacks a date.', detail }
  const { call, log } = await listen(t, { authenticate: async () => ({ ok: false, rejection }) })
  const answer = await call('GET', '/bells')
  assert.deepEqual(errorOf(answer), [400, 'IncompleteSignatureException', 'IncompleteSignature'])
  assert.equal(messageOf(answer), 'It lacks a date.')
  assert.equal(answer.headers['x-amzn-requestid'], 'request-1')
  assert.deepEqual(
    log.map(({ level, requestId, rejection: logged }) => [level, requestId, logged]),
    [['info', 'request-1', detail]],
  )
})

const unknownOperations = [
  ['GET', '/unknown'],
  ['PUT', '/bells'],
  ['GET', '/bells/'],
  ['GET', '/bells//'],
  ['POST', bell],
  ['GET', `${bell}?scope=other`],
  ['POST', '/'],
] as const
for (const [method, target] of unknownOperations) {
  test(`${method} ${target} is answered as an unknown operation`, async (t) => {
    const answer = await (await listen(t)).call(method, target)
    assert.deepEqual(errorOf(answer), [404, 'UnknownOperationException', 'UnknownOperation'])
    assert.equal(answer.headers['content-type'], 'application/json')
    assert.equal(
      messageOf(answer),
      `There is no operation ${method} ${target}. If AWS's API has it, this server does not have it yet.`,
    )
  })
}

test('the literal of a query chooses the operation wherever it is', async (t) => {
  const { call, log } = await listen(t)
  await call('GET', `${bell}?scope=bell-status`)
  await call('GET', `${bell}?a=b&scope=bell-status`)
  await call('POST', `${bell}?operation=ring&a=b`)
  await call('GET', `${bell}?a=b`, { headers: bearer })
  assert.deepEqual(
    log.map(({ operation, status }) => [operation, status]),
    [
      ['GetBellStatus', 200],
      ['GetBellStatus', 200],
      ['RingBell', 200],
      ['DescribeBell', 200],
    ],
  )
})

test('all violations of an input come in one message', async (t) => {
  const answer = await (await listen(t)).call('POST', '/bells', { body: '{"Owner":{"Arn":"x"},"Tags":[]}' })
  assert.deepEqual(errorOf(answer), [400, 'BadRequestException', 'BadRequest'])
  const message = messageOf(answer)
  assert.match(message, /^4 validation errors detected: Value at 'name' failed to satisfy constraint: Member must not/)
  assert.match(message, /Value at 'owner\.arn' .*; Value at 'tags' failed/)
})

test('a missing bearer is a violation like any other', async (t) => {
  const answer = await (await listen(t)).call('GET', bell)
  assert.equal(
    messageOf(answer),
    "1 validation error detected: Value at 'chimeBearer' failed to satisfy constraint: Member must not be null",
  )
})

test('a query that is not the kind it should be is a violation by name', async (t) => {
  const answer = await (await listen(t)).call('GET', '/bells?max-results=many&not-before=noon')
  assert.equal(
    messageOf(answer),
    "2 validation errors detected: Value at 'maxResults' failed to satisfy constraint: Member must have value of " +
      "type integer; Value at 'notBefore' failed to satisfy constraint: Member must have value of type timestamp",
  )
})

for (const body of ['[]', '"x"', '{"Name":', Buffer.from([0x22, 0xff, 0x22])]) {
  test(`the body ${body} is a bad request`, async (t) => {
    const answer = await (await listen(t)).call('POST', '/bells', { body })
    assert.deepEqual(errorOf(answer), [400, 'BadRequestException', 'BadRequest'])
  })
}

test('a malformed escape in the path is a bad request', async (t) => {
  const answer = await (await listen(t)).call('GET', '/bells/%zz', { headers: bearer })
  assert.deepEqual(errorOf(answer), [400, 'BadRequestException', 'BadRequest'])
})

test('a declared error is answered with its status, type and code', async (t) => {
  const { call, log } = await listen(t, {
    act: () => {
      throw conflict('There is such a bell')
    },
  })
  const answer = await call('POST', '/bells', { body: '{"Name":"b"}' })
  assert.deepEqual(errorOf(answer), [409, 'ConflictException', 'Conflict'])
  assert.deepEqual(JSON.parse(answer.text), { Code: 'Conflict', Message: 'There is such a bell' })
  assert.deepEqual([log[0]?.level, log[0]?.code, log[0]?.err], ['debug', 'Conflict', undefined])
})

test('an undeclared error is a bug in strict mode, else it is answered and warned of', async (t) => {
  const act = () => {
    throw notFound('There is no such bell')
  }
  const strict = await listen(t, { act, strict: true })
  assert.equal((await strict.call('GET', '/bells')).status, 500)
  assert.match(String(strict.log[0]?.err), /ListBells returns NotFound, which it does not declare/)
  const lenient = await listen(t, { act, strict: false })
  assert.deepEqual(errorOf(await lenient.call('GET', '/bells')), [404, 'NotFoundException', 'NotFound'])
  assert.deepEqual(
    lenient.log.map(({ level, text }) => [level, text]),
    [
      ['warn', 'ListBells returns NotFound, which it does not declare'],
      ['debug', 'request completed'],
    ],
  )
})

for (const [code, status] of [['Throttled', 429] as const, ['ServiceUnavailable', 503] as const]) {
  test(`${code} says when to come again`, async (t) => {
    const { call } = await listen(t, {
      act: () => {
        throw new ApiError(code, 'later')
      },
    })
    const answer = await call('GET', '/bells')
    assert.deepEqual([answer.status, answer.headers['retry-after']], [status, '1'])
  })
}

test('anything else that is thrown is answered without its text, which goes to the log', async (t) => {
  const bug = new Error('the password is swordfish')
  const { call, log } = await listen(t, {
    act: () => {
      throw bug
    },
  })
  const answer = await call('GET', '/bells')
  assert.deepEqual(errorOf(answer), [500, 'ServiceFailureException', 'ServiceFailure'])
  assert.equal(
    messageOf(answer),
    'The call failed inside the server, whose log has the reason under the request id request-1',
  )
  assert.deepEqual([log.length, log[0]?.level, log[0]?.err, log[0]?.status], [1, 'error', bug, 500])
})

test('an error that the server knows better is translated', async (t) => {
  class Busy extends Error {}
  const { call, log } = await listen(t, {
    act: () => {
      throw new Busy('the disk is full')
    },
    translate: (error) => (error instanceof Busy ? new ApiError('ServiceUnavailable', 'Too much at once') : undefined),
  })
  const answer = await call('GET', '/bells')
  assert.deepEqual(errorOf(answer), [503, 'ServiceUnavailableException', 'ServiceUnavailable'])
  assert.deepEqual(
    [log[0]?.reason, log[0]?.err],
    ['the disk is full', undefined],
    'an operator needs the reason, and no stack',
  )
})

test('a signature that cannot be checked is a failure like any other', async (t) => {
  const { call } = await listen(t, { authenticate: () => Promise.reject(new Error('the store is gone')) })
  assert.equal((await call('GET', '/bells')).status, 500)
})

test('in strict mode an output that breaks its schema is a bug', async (t) => {
  const act = () => ({ Name: 5, Owner: { Arn: 'x' } })
  const strict = await listen(t, { act, strict: true })
  assert.equal((await strict.call('GET', '/bells')).status, 500)
  assert.match(String(strict.log[0]?.err), /ListBells breaks the schema of its output: 3 validation errors detected/)
  const lenient = await listen(t, { act, strict: false })
  assert.equal((await lenient.call('GET', '/bells')).status, 200)
})

test('a browser may ask without a signature, and may send what it asks for', async (t) => {
  const { call } = await listen(t, { authenticate: () => Promise.reject(new Error('not asked')) })
  const headers = {
    origin: 'https://app.example',
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'amz-sdk-request,authorization,x-amz-chime-bearer',
  }
  for (const target of ['/bells', '/unknown', '*']) {
    const answer = await call('OPTIONS', target, { headers })
    assert.deepEqual([answer.status, answer.text], [204, ''])
    assert.equal(answer.headers['access-control-allow-origin'], '*')
    assert.equal(answer.headers['access-control-allow-methods'], 'GET, POST, PUT, DELETE')
    assert.equal(answer.headers['access-control-allow-headers'], headers['access-control-request-headers'])
    assert.equal(answer.headers['access-control-max-age'], '86400')
    assert.equal(answer.headers['x-amzn-requestid'], `request-${target === '/bells' ? 1 : target === '*' ? 3 : 2}`)
  }
})

test('a page in a browser may read every answer, its error type and its request id', async (t) => {
  const { call } = await listen(t)
  for (const target of ['/bells', '/unknown', bell, '/']) {
    const { headers } = await call('GET', target)
    assert.equal(headers['access-control-allow-origin'], '*')
    assert.match(headers['access-control-expose-headers'] ?? '', /x-amzn-RequestId, x-amzn-ErrorType, Date/)
  }
})

test('a person who opens the address sees the page, there and nowhere else', async (t) => {
  const { call } = await listen(t, { page: '<p>Glöckchen</p>' })
  const { status, headers, text } = await call('GET', '/')
  assert.deepEqual([status, headers['content-type'], text], [200, 'text/html; charset=utf-8', '<p>Glöckchen</p>'])
  assert.equal((await call('GET', '/index.html')).status, 404)
})

test('HEAD is answered without a body', async (t) => {
  const answer = await (await listen(t)).call('HEAD', '/bells')
  assert.deepEqual([answer.status, answer.text], [404, ''])
  assert.equal(answer.headers['x-amzn-errortype'], 'UnknownOperationException')
})

test('while the server drains, each answer closes its connection', async (t) => {
  let draining = false
  const { call } = await listen(t, { draining: () => draining })
  assert.equal(
    (await call('GET', '/bells', { headers: { connection: 'keep-alive' } })).headers.connection,
    'keep-alive',
  )
  draining = true
  assert.equal((await call('GET', '/bells', { headers: { connection: 'keep-alive' } })).headers.connection, 'close')
})
