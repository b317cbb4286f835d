import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import type { RuntimeInvocation } from '../../src/processor/bootstrap-terms.ts'
import { RuntimeApi, type RuntimeListener } from '../../src/processor/runtime-api.ts'

const invocation = (awsRequestId: string): RuntimeInvocation => ({
  awsRequestId,
  deadlineMs: 1_767_322_800_000,
  functionArn: 'arn:aws:lambda:us-east-1:111122223333:function:redact',
  traceId: 'Root=1-00000000-000000000000000000000000;Sampled=0',
  body: '{"CallbackId":"c"}',
})

/** Stands for one child: gives out what it holds, and keeps what it hears. */
class Child implements RuntimeListener {
  heard: unknown[] = []
  answer = Promise.withResolvers<(invocation: RuntimeInvocation) => void>()
  has: string

  constructor(awsRequestId: string) {
    this.has = awsRequestId
  }

  started(): void {
    this.heard.push('started')
  }

  next(answer: (invocation: RuntimeInvocation) => void): void {
    this.answer.resolve(answer)
  }

  ended(awsRequestId: string, failure?: string): boolean {
    if (awsRequestId !== this.has) return false
    this.heard.push(failure ?? 'well')
    return true
  }

  broke(failure: string): void {
    this.heard.push({ failure })
  }
}

async function start(t: TestContext, timeouts?: ConstructorParameters<typeof RuntimeApi>[0]) {
  const api = new RuntimeApi(timeouts)
  await api.listen()
  t.after(() => api.close())
  const children = { one: new Child('id-1'), two: new Child('id-2') }
  api.register('token-1', children.one)
  api.register('token-2', children.two)
  const url = (token: string, path: string) => `http://${api.addressFor(token)}/2018-06-01/runtime/${path}`
  const post = async (token: string, path: string, body = '{}') => {
    const response = await fetch(url(token, path), { method: 'POST', body })
    return `${response.status} ${await response.text()}`
  }
  return { api, ...children, url, post }
}

test('the next invocation is waited for, and comes with its headers', async (t) => {
  const { one, url } = await start(t)
  const response = fetch(url('token-1', 'invocation/next'))
  const answer = await one.answer.promise
  answer(invocation('id-1'))
  const { headers, status } = await response
  assert.equal(status, 200)
  assert.equal(headers.get('lambda-runtime-aws-request-id'), 'id-1')
  assert.equal(headers.get('lambda-runtime-deadline-ms'), '1767322800000')
  assert.equal(
    headers.get('lambda-runtime-invoked-function-arn'),
    'arn:aws:lambda:us-east-1:111122223333:function:redact',
  )
  assert.equal(headers.get('lambda-runtime-trace-id'), 'Root=1-00000000-000000000000000000000000;Sampled=0')
  assert.deepEqual(await (await response).json(), { CallbackId: 'c' })
})

test('a child reports how its own invocation has ended, and none of another', async (t) => {
  const { one, two, post } = await start(t)
  const ok = '202 {"status":"OK"}'
  const unknown = '400 {"errorType":"InvalidRequestID","errorMessage":"InvalidRequestID"}'
  assert.equal(await post('token-1', 'invocation/id-1/response', 'anything'), ok)
  assert.equal(await post('token-1', 'invocation/id-1/error', '{"errorType":"E","errorMessage":"m"}'), ok)
  assert.equal(await post('token-1', 'invocation/id-1/error', 'no JSON'), ok)
  assert.equal(await post('token-1', 'init/started'), ok)
  assert.equal(await post('token-1', 'init/error', '{"errorType":"I","errorMessage":"m"}'), ok)
  assert.equal(await post('token-1', 'invocation/id-2/response'), unknown)
  assert.equal(await post('token-1', 'invocation/id-2/error'), unknown)
  assert.deepEqual(one.heard, ['well', 'E', 'an error that is not described', 'started', { failure: 'I: m' }])
  assert.deepEqual(two.heard, [])
})

test('a token that is not known, or is no more, opens nothing', async (t) => {
  const { api, one, url, post } = await start(t)
  const forbidden = '403 {"errorType":"Forbidden","errorMessage":"Forbidden"}'
  assert.equal(await post('token-3', 'invocation/id-1/response'), forbidden)
  assert.equal((await fetch(url('token-3', 'invocation/next'))).status, 403)
  assert.equal((await fetch(new URL('/', url('token-1', '')))).status, 403)
  assert.equal((await fetch(new URL('/2018-06-01/runtime/invocation/next', url('token-1', '')))).status, 403)
  api.unregister('token-1')
  assert.equal(await post('token-1', 'invocation/id-1/response'), forbidden)
  assert.deepEqual(one.heard, [])
})

test('an unknown path or method is not found', async (t) => {
  const { one, url, post } = await start(t)
  const notFound = '404 {"errorType":"NotFound","errorMessage":"NotFound"}'
  assert.equal(await post('token-1', 'invocation/id-1'), notFound)
  assert.equal(await post('token-1', 'invocation/next'), notFound)
  assert.equal((await fetch(url('token-1', 'invocation/id-1/response'))).status, 404)
  assert.deepEqual(one.heard, [])
})

test('a body larger than 6 MiB is refused', async (t) => {
  const { one, post } = await start(t)
  const limit = 6 * 1024 * 1024
  assert.match(await post('token-1', 'invocation/id-1/response', 'x'.repeat(limit)), /^202/)
  assert.match(await post('token-1', 'invocation/id-1/response', 'x'.repeat(limit + 1)), /^413/)
  assert.deepEqual(one.heard, ['well'])
})

test('a request that breaks off disturbs no other', async (t) => {
  const { api, one, post } = await start(t)
  const { port } = new URL(`http://${api.addressFor('')}`)
  const socket = connect(Number(port), '127.0.0.1')
  socket.write('POST /token-1/2018-06-01/runtime/invocation/id-1/response HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n')
  socket.end('Expect: 100-continue\r\n\r\n')
  await once(socket.resume(), 'close')
  assert.deepEqual(one.heard, [])
  assert.match(await post('token-1', 'invocation/id-1/response'), /^202/)
})

/** Connections that a function may open besides that of its bootstrap. They end with the test. */
function openings(t: TestContext, api: RuntimeApi) {
  const port = Number(new URL(`http://${api.addressFor('')}`).port)
  return async (request = ''): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    t.after(() => socket.destroy())
    await once(socket, 'connect')
    socket.write(request)
    return socket.resume()
  }
}

const closed = (socket: Socket) => socket.closed || new Promise((resolve) => socket.once('close', resolve))

const asking = (token: string) => `GET /${token}/2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: a\r\n\r\n`

test('of connections that send no token, the oldest is closed for the 65th', { timeout: 30_000 }, async (t) => {
  const { api, one, post } = await start(t)
  const open = openings(t, api)
  const child = await open(asking('token-1'))
  await one.answer.promise
  const silent: Socket[] = []
  for (let count = 0; count < 65; count++) silent.push(await open())
  await closed(silent[0]!)
  assert.match(await post('token-2', 'init/started'), /^202/)
  assert.ok(!child.closed && !silent[64]!.closed)
})

test('of a child, the fifth connection is closed', { timeout: 30_000 }, async (t) => {
  const { api, one, two, post } = await start(t)
  const open = openings(t, api)
  const call = 'POST /token-1/2018-06-01/runtime/init/started HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n'
  const its = await Promise.all([open(call), open(call), open(call), open(call)])
  await Promise.all(its.map((socket) => once(socket, 'data')))
  await closed(await open(call))
  assert.equal(one.heard.length, 4)
  assert.match(await post('token-2', 'init/started'), /^202/)
  assert.deepEqual(two.heard, ['started'])
})

test('a child that asks for an event while it waits for one loses that connection', { timeout: 30_000 }, async (t) => {
  const { api, one } = await start(t)
  const open = openings(t, api)
  const waiting = await open(asking('token-1'))
  const answer = await one.answer.promise
  await closed(await open(asking('token-1').repeat(1_000)))
  answer(invocation('id-1'))
  const [data] = await once(waiting, 'data')
  assert.match(String(data), /^HTTP\/1\.1 200 OK.*id-1/s)
})

test('a request that is slow to come is ended, and a child that waits is not', { timeout: 30_000 }, async (t) => {
  const { api, one } = await start(t, { headersTimeout: 50, requestTimeout: 100, connectionsCheckingInterval: 10 })
  const open = openings(t, api)
  const waiting = await open(asking('token-1'))
  const answer = await one.answer.promise
  const slow = 'POST /token-1/2018-06-01/runtime/init/started HTTP/1.1\r\n'
  const headers = await open(slow)
  const body = await open(`${slow}Host: a\r\nContent-Length: 9\r\n\r\n1`)
  await Promise.all([headers, body].map(closed))
  answer(invocation('id-1'))
  await once(waiting, 'data')
  assert.deepEqual(one.heard, [])
})

test('of a report longer than 64 KiB nothing is kept', async (t) => {
  const { one, post } = await start(t)
  const report = (length: number) => JSON.stringify({ errorType: 'E', errorMessage: 'm'.repeat(length) })
  assert.match(await post('token-1', 'invocation/id-1/error', report(65_000)), /^202/)
  assert.match(await post('token-1', 'invocation/id-1/error', report(66_000)), /^202/)
  assert.deepEqual(one.heard, ['E', 'an error that is not described'])
})

describe('a channel', () => {
  /** The head of the request that opens one, and what else is sent at once. */
  const opening = (token: string, more = '', protocol = 'carillon-events', path = 'invocation/channel') =>
    `GET /${token}/2018-06-01/runtime/${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n${more}`

  /** Waits until so much has come that it ends in this way. */
  async function received(socket: Socket, end: string): Promise<string> {
    let text = ''
    while (!text.endsWith(end)) text += String((await once(socket, 'data'))[0])
    return text
  }

  test('gives a line for each that it gets, which reports the invocation before', { timeout: 30_000 }, async (t) => {
    const { api, one } = await start(t)
    const socket = await openings(t, api)(opening('token-1'))
    assert.match(await received(socket, '\r\n\r\n'), /^HTTP\/1\.1 101 /)
    for (const [report, heard] of [
      [{}, []],
      [{ awsRequestId: 'id-1' }, ['well']],
      [{ awsRequestId: 'id-1', errorType: 'TypeError' }, ['TypeError']],
      // The function has reported it by itself.
      [{ awsRequestId: 'id-2' }, []],
    ] as const) {
      one.answer = Promise.withResolvers()
      socket.write(`${JSON.stringify(report)}\n`)
      const answer = await one.answer.promise
      assert.deepEqual(one.heard.splice(0), heard)
      answer(invocation('id-1'))
      assert.deepEqual(JSON.parse(await received(socket, '\n')), invocation('id-1'))
    }
  })

  test('is read also where lines come in pieces, and with the request', { timeout: 30_000 }, async (t) => {
    const { api, one } = await start(t)
    const socket = await openings(t, api)(opening('token-1', '{"awsRequestId":'))
    await received(socket, '\r\n\r\n')
    socket.write('"id-1"}\n')
    await one.answer.promise
    assert.deepEqual(one.heard, ['well'])
  })

  test('is closed for what the bootstrap never sends', { timeout: 30_000 }, async (t) => {
    const { api, one, two, post } = await start(t)
    const open = openings(t, api)
    for (const request of [
      opening('token-1', 'no JSON\n'),
      opening('token-1', '1\n'),
      opening('token-1', '{}\n{}\n'),
      opening('token-1', 'x'.repeat(20_000)),
      opening('token-3'),
      opening('token-1', '', 'websocket'),
      opening('token-1', '', 'carillon-events', 'invocation/next'),
    ]) {
      await closed(await open(request))
    }
    assert.deepEqual(one.heard, [])
    assert.match(await post('token-2', 'init/started'), /^202/)
    assert.deepEqual(two.heard, ['started'])
  })
})
