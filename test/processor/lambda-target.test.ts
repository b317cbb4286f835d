import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpsServer } from 'node:https'
import { describe, test } from 'node:test'
import tls from 'node:tls'
import { answerMsMax } from '../../src/processor/http-origin.ts'
import { connectMsMax } from '../../src/processor/origin-connect.ts'
import { certificateNames, createAuthority, issueCertificate } from '../../src/tls/issue-certificate.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { sign } from '../support/smithy-signer.ts'
import { until } from '../support/until.ts'
import { processorEvent } from './functions.ts'
import { type Answer, listenFor, openEndpoint, openSocket, recorder, startLambda, status } from './lambda-endpoint.ts'

const accepted = { result: 'accepted', handedOver: 1 }
const crashed = (reason: string) => ({ result: 'crashed', reason, handedOver: 1 })
const cut = (reason: string) => ({ ...crashed(reason), retrySoon: true })
const deferred = (reason: string, cause: string) => ({ result: 'deferred', reason, cause, handedOver: 0 })
const unreached = (reason: string, permanent = false) => ({ result: 'unreached', reason, permanent, handedOver: 0 })

describe('the answer of the endpoint decides', { concurrency: 4 }, () => {
  const echo: Answer = (response, { body }) =>
    response.writeHead(500, { 'x-amzn-errortype': 'ServiceException:hello' }).end(body)
  const rows: [name: string, answers: Answer[], expected: (callee: string) => object][] = [
    ['202 is accepted', [status(202)], () => accepted],
    ['200 of an emulator that ran it first is accepted', [status(200, {}, '"anything"')], () => accepted],
    [
      '200 with X-Amz-Function-Error is crashed',
      [status(200, { 'x-amz-function-error': 'Unhandled' }, '{"errorMessage":"hello"}')],
      (callee) => crashed(`${callee}: the function failed: Unhandled`),
    ],
    ['a body that is cut off does no harm', [(response) => cutBody(response)], () => accepted],
    [
      '404 is unreached for good, with advice',
      [status(404, { 'x-amzn-errortype': 'ResourceNotFoundException' }, '{"Message":"Function not found"}')],
      (callee) =>
        unreached(
          `${callee}: answered 404 ResourceNotFoundException; CARILLON_LAMBDA_FUNCTION_NAME says what the endpoint calls a function`,
          true,
        ),
    ],
    [
      '403 is unreached for good, with advice',
      [status(403, { 'x-amzn-errortype': 'AccessDeniedException' })],
      (callee) =>
        unreached(
          `${callee}: answered 403 AccessDeniedException; check CARILLON_LAMBDA_ACCESS_KEY_ID and CARILLON_LAMBDA_REGION`,
          true,
        ),
    ],
    ...[307, 400, 409, 429, 502, 503].map((code): [string, Answer[], (callee: string) => object] => [
      `${code} is unreached for now`,
      [status(code, { location: '/elsewhere' })],
      (callee) => unreached(`${callee}: answered ${code}`),
    ]),
    [
      'what it says beyond the class of an error is not repeated',
      [echo],
      (callee) => unreached(`${callee}: answered 500 ServiceException`),
    ],
  ]
  for (const [name, answers, expected] of rows) {
    test(name, async (t) => {
      const { endpoint, requests } = await openEndpoint(t, ...answers)
      const { invoke } = startLambda(t, endpoint)
      assert.deepEqual(await invoke(), expected(`${endpoint} for function redact`))
      assert.equal(requests.length, 1)
    })
  }

  test('a redirect is not followed', async (t) => {
    const elsewhere = await openEndpoint(t, status(202))
    const { endpoint } = await openEndpoint(t, status(307, { location: `${elsewhere.endpoint}/` }))
    const { invoke } = startLambda(t, endpoint)
    assert.equal((await invoke()).result, 'unreached')
    assert.deepEqual(elsewhere.requests, [])
  })

  test('an interim response is not the answer', async (t) => {
    const responses = 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n'
    const { host } = await openSocket(t, (socket) => socket.once('data', () => socket.write(responses)))
    const { invoke } = startLambda(t, `http://${host}`)
    const { result, handedOver } = await invoke()
    assert.deepEqual({ result, handedOver }, { result: 'unreached', handedOver: 0 })
  })

  test('an endless body is cut off, and does no harm', async (t) => {
    const flood: Answer = (response) => {
      response.writeHead(202)
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(10_000))) {}
      }
      response.on('drain', more)
      more()
    }
    const { endpoint } = await openEndpoint(t, flood)
    const { invoke } = startLambda(t, endpoint)
    assert.deepEqual(await invoke(), accepted)
  })
})

function cutBody(response: Parameters<Answer>[0]): void {
  response.writeHead(202, { 'content-length': '10' })
  response.write('12345', () => response.destroy())
}

describe('an endpoint that does not know Event', () => {
  const typesOf = (requests: { headers: Record<string, unknown> }[]) =>
    requests.map(({ headers }) => headers['x-amz-invocation-type'])

  test('is asked again, as a RequestResponse', async (t) => {
    const { endpoint, requests } = await openEndpoint(t, status(501), status(200, {}, 'null'))
    const { invoke } = startLambda(t, endpoint)
    assert.deepEqual(await invoke(), accepted)
    assert.deepEqual(typesOf(requests), ['Event', 'RequestResponse'])
    assert.deepEqual(requests[1]?.body, requests[0]?.body)
  })

  test('may turn out not to have the function', async (t) => {
    const { endpoint } = await openEndpoint(t, status(501), status(404))
    const { invoke } = startLambda(t, endpoint)
    const { result, handedOver } = await invoke()
    assert.deepEqual({ result, handedOver }, { result: 'unreached', handedOver: 0 })
  })

  test('is not asked a third time', async (t) => {
    const { endpoint, requests } = await openEndpoint(t, status(501))
    const { invoke } = startLambda(t, endpoint)
    assert.deepEqual(await invoke(), unreached(`${endpoint} for function redact: answered 501`))
    assert.deepEqual(typesOf(requests), ['Event', 'RequestResponse'])
  })
})

describe('an endpoint that takes long', () => {
  test('is not unreached: an emulator answers when the function has ended', async (t) => {
    const clock = new ManualClock()
    const pending = Promise.withResolvers<Parameters<Answer>[0]>()
    const { endpoint } = await openEndpoint(t, (response) => pending.resolve(response))
    const { invoke } = startLambda(t, endpoint, { clock })
    const handOff = invoke()
    const response = await pending.promise
    clock.advance(answerMsMax - 1)
    response.writeHead(200).end()
    assert.deepEqual(await handOff, accepted)
    assert.equal(clock.nextAlarmMs, undefined)
  })

  test('counts as crashed when it has taken longer than any function may', async (t) => {
    const clock = new ManualClock()
    const asked = Promise.withResolvers<void>()
    const { endpoint } = await openEndpoint(t, () => asked.resolve())
    const { invoke } = startLambda(t, endpoint, { clock })
    const handOff = invoke()
    await asked.promise
    clock.advance(answerMsMax)
    const reason = `${endpoint} for function redact: no answer within 900 s; the function may have run`
    assert.deepEqual(await handOff, crashed(reason))
  })
})

describe('an endpoint that worked a moment ago is not given up', () => {
  const minute = 60_000
  const throttled = (handOff: { result: string; cause?: string }) =>
    assert.deepEqual([handOff.result, handOff.cause], ['deferred', 'throttled'])

  for (const busy of [429, 502, 503, 504]) {
    test(`when it answers ${busy}, until a minute after its last good answer`, async (t) => {
      const clock = new ManualClock()
      // Any other answer is a good one, also that the function is not there.
      const { endpoint } = await openEndpoint(t, status(404), status(busy))
      const { invoke } = startLambda(t, endpoint, { clock })
      assert.equal((await invoke()).result, 'unreached')
      clock.advance(minute - 1)
      throttled(await invoke())
      clock.advance(1)
      assert.deepEqual(await invoke(), unreached(`${endpoint} for function redact: answered ${busy}`))
    })
  }

  test('when it refuses connections, and is called again when it is back', async (t) => {
    const clock = new ManualClock()
    const { endpoint, server } = await openEndpoint(t, status(202))
    const { invoke } = startLambda(t, endpoint, { clock })
    assert.deepEqual(await invoke(), accepted)
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
    // The connection that was kept is gone, too.
    while ((await invoke()).result === 'crashed') {}
    throttled(await invoke())
    await once(server.listen(Number(new URL(endpoint).port), '127.0.0.1'), 'listening')
    assert.deepEqual(await invoke(), accepted)
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
    clock.advance(minute)
    while ((await invoke()).result === 'crashed') {}
    assert.equal((await invoke()).result, 'unreached')
  })

  test('but one function is that fails for a minute while others work', async (t) => {
    const clock = new ManualClock()
    const busyForOne: Answer = (response, { target }) => response.writeHead(target.includes('busy') ? 503 : 202).end()
    const { endpoint } = await openEndpoint(t, busyForOne)
    const { invoke } = startLambda(t, endpoint, { clock })
    for (let seconds = 0; seconds < 60; seconds += 10) {
      assert.deepEqual(await invoke('working'), accepted)
      throttled(await invoke('busy'))
      clock.advance(10_000)
    }
    assert.deepEqual(await invoke('working'), accepted)
    assert.equal((await invoke('busy')).result, 'unreached')
  })

  test('nor is a function that failed long ago', async (t) => {
    const clock = new ManualClock()
    const busyForOne: Answer = (response, { target }) => response.writeHead(target.includes('busy') ? 429 : 202).end()
    const { endpoint } = await openEndpoint(t, busyForOne)
    const { invoke } = startLambda(t, endpoint, { clock })
    assert.equal((await invoke('busy')).result, 'unreached')
    clock.advance(60 * minute)
    assert.deepEqual(await invoke('working'), accepted)
    clock.advance(1_000)
    throttled(await invoke('busy'))
  })

  test('and one that never worked is', async (t) => {
    const { endpoint } = await openEndpoint(t, status(503))
    assert.equal((await startLambda(t, endpoint).invoke()).result, 'unreached')
  })
})

describe('places at the endpoint', () => {
  test('are as many as CARILLON_LAMBDA_CONCURRENCY says, for all functions together', async (t) => {
    const responses: Parameters<Answer>[0][] = []
    const { endpoint, server } = await openEndpoint(t, (response) => {
      responses.push(response)
      server.emit('asked')
    })
    const { target, invoke } = startLambda(t, endpoint, { concurrency: 2 })
    let freed = 0
    target.onFreePlace(() => (freed += 1))
    assert.equal(target.freePlaces('one'), 2)
    const calls = [invoke('one'), invoke('two')]
    assert.equal(target.freePlaces('one'), 0)
    const { result, handedOver } = await invoke('three')
    assert.deepEqual({ result, handedOver }, { result: 'deferred', handedOver: 0 })
    while (responses.length < 2) await once(server, 'asked')
    for (const response of responses) response.writeHead(202).end()
    assert.deepEqual(await Promise.all(calls), [accepted, accepted])
    assert.equal(target.freePlaces('one'), 2)
    assert.equal(freed, 1, 'a full endpoint has a place again')
  })
})

describe('without an answer', { concurrency: 4 }, () => {
  test('a connection that is lost over the request is crashed, since the function may have run', async (t) => {
    const { endpoint } = await openEndpoint(t, (response) => response.destroy())
    const { invoke } = startLambda(t, endpoint)
    const reason = `${endpoint} for function redact: socket hang up; the function may have run`
    assert.deepEqual(await invoke(), cut(reason))
  })

  test('a port where nobody listens is unreached', async (t) => {
    const { endpoint, server } = await openEndpoint(t)
    server.close()
    await once(server, 'close')
    const { invoke } = startLambda(t, endpoint)
    const reason = `${endpoint} for function redact: connect ECONNREFUSED ${new URL(endpoint).host}`
    assert.deepEqual(await invoke(), unreached(reason))
  })

  test('a connection that is not made in time is unreached', async (t) => {
    const clock = new ManualClock()
    const { host, server } = await openSocket(t, () => {})
    const { invoke } = startLambda(t, `https://${host}`, { clock })
    const handOff = invoke()
    await once(server, 'connection')
    clock.advance(connectMsMax)
    assert.deepEqual(await handOff, unreached(`https://${host} for function redact: no connection within 5 s`))
  })

  test('something that does not speak HTTP is unreached', async (t) => {
    const { host } = await openSocket(t, (socket) => socket.end('220 mail.example.com ESMTP\r\n'))
    const { invoke } = startLambda(t, `http://${host}`)
    const handOff = await invoke()
    assert.equal(handOff.result, 'unreached')
    assert.equal(handOff.handedOver, 0)
  })

  test('a head without an end is none of HTTP, and unreached', async (t) => {
    const line = `x-more: ${'x'.repeat(1_000)}\r\n`
    const { host } = await openSocket(t, (socket) => {
      socket.on('error', () => {})
      socket.once('data', () => socket.write(`HTTP/1.1 202 Accepted\r\n${line.repeat(100)}`))
    })
    const { invoke } = startLambda(t, `http://${host}`)
    assert.equal((await invoke()).result, 'unreached')
  })

  test('something that switches to another protocol is crashed', async (t) => {
    const upgrade = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n'
    const { host } = await openSocket(t, (socket) => socket.write(upgrade))
    const { invoke } = startLambda(t, `http://${host}`)
    assert.equal((await invoke()).result, 'crashed')
  })
})

describe('over TLS', () => {
  async function openTls(t: Parameters<typeof listenFor>[0], answer: Answer) {
    const now = Date.now()
    const authority = await createAuthority(now)
    const { certificatePem: cert, privateKeyPem: key } = await issueCertificate(
      authority,
      certificateNames('127.0.0.1', undefined),
      now,
    )
    const { requests, listener } = recorder(answer)
    const port = await listenFor(t, createHttpsServer({ cert, key }, listener))
    return { requests, endpoint: `https://127.0.0.1:${port}`, authority: authority.certificatePem }
  }

  test('a certificate that nobody vouches for is unreached', async (t) => {
    const { endpoint, requests } = await openTls(t, status(202))
    const { invoke } = startLambda(t, endpoint)
    const handOff = await invoke()
    assert.ok(handOff.result === 'unreached')
    assert.match(handOff.reason, /certificate/)
    assert.deepEqual(requests, [])
  })

  test('an endpoint that this machine trusts is reached', async (t) => {
    const { endpoint, authority } = await openTls(t, status(202))
    const trusted = tls.getCACertificates()
    tls.setDefaultCACertificates([...trusted, authority])
    t.after(() => tls.setDefaultCACertificates(trusted))
    const { invoke } = startLambda(t, endpoint)
    assert.deepEqual(await invoke(), accepted)
  })
})

describe('the request', () => {
  test('names the function as the operator says, and its version or alias in the query', async (t) => {
    const arn = encodeURIComponent('arn:aws:lambda:us-east-1:111122223333:function:redact')
    const rows: [template: string, name: string, called: string][] = [
      ['{name}', 'redact', 'redact/invocations'],
      ['{name}', 'redact:live', 'redact/invocations?Qualifier=live'],
      ['{name}', 'redact:$LATEST', 'redact/invocations?Qualifier=%24LATEST'],
      ['{arn}', 'redact', `${arn}/invocations`],
      ['{arn}', 'redact:7', `${arn}/invocations?Qualifier=7`],
      ['chat-dev-{name}', 'redact', 'chat-dev-redact/invocations'],
      ['function', 'redact', 'function/invocations'],
    ]
    const { endpoint, requests } = await openEndpoint(t, status(202))
    for (const [functionName, name] of rows) {
      assert.deepEqual(await startLambda(t, endpoint, { functionName }).invoke(name), accepted)
    }
    assert.deepEqual(
      requests.map(({ target }) => target),
      rows.map(([, , called]) => `/2015-03-31/functions/${called}`),
    )
  })

  test('carries the event, and the signature that the SDK would make, with a session token if there is one', async (t) => {
    const clock = new ManualClock()
    const key = { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'an example, not a secret' }
    const { endpoint, requests } = await openEndpoint(t, status(202))
    for (const credentials of [key, { ...key, sessionToken: 'token+of/this=key' }]) {
      const event = processorEvent('m-1')
      await startLambda(t, endpoint, { clock, credentials, functionName: '{arn}' }).invoke('redact:live', event)
      const { method, target, headers, body } = requests.splice(0)[0]!
      assert.deepEqual(JSON.parse(body.toString()), event)
      const unsigned = {
        host: new URL(endpoint).host,
        'content-type': 'application/octet-stream',
        'x-amz-invocation-type': 'Event',
      }
      const signed = await sign(
        { method, target, headers: unsigned, body },
        { credentials, signingDate: new Date(clock.now()), region: 'eu-central-1', service: 'lambda' },
      )
      const { connection, 'content-length': length, ...sent } = headers
      assert.deepEqual(sent, signed.headers)
      assert.deepEqual({ connection, length: Number(length) }, { connection: 'keep-alive', length: body.length })
    }
  })

  test('goes over a connection that is kept', async (t) => {
    const { endpoint, requests, server } = await openEndpoint(t, status(202))
    let connections = 0
    server.on('connection', () => {
      connections += 1
    })
    const { invoke } = startLambda(t, endpoint)
    for (let time = 0; time < 3; time++) assert.deepEqual(await invoke(), accepted)
    assert.equal(requests.length, 3)
    assert.equal(connections, 1)
  })

  test('does not go over a connection that the endpoint has closed', async (t) => {
    const { endpoint, requests, server } = await openEndpoint(t, status(202))
    const { invoke } = startLambda(t, endpoint)
    for (let time = 0; time < 3; time++) {
      const connected = once(server, 'connection')
      assert.deepEqual(await invoke(), accepted)
      const [socket] = await connected
      // It is closed when the target has closed its side as well.
      const closed = once(socket, 'close')
      socket.end()
      await closed
    }
    assert.equal(requests.length, 3)
  })
})

test('closing cuts off what is under way, and nothing is sent any more', async (t) => {
  const asked = Promise.withResolvers<void>()
  const { endpoint, requests } = await openEndpoint(t, () => asked.resolve())
  const { target, invoke } = startLambda(t, endpoint)
  const handOff = invoke()
  await asked.promise
  await target.close()
  assert.equal((await handOff).result, 'crashed')
  assert.deepEqual(await invoke(), deferred(`${endpoint} for function redact: the server is closing`, 'closing'))
  assert.equal(requests.length, 1)
})

test('an eighth of the places is for functions that have taken less than that: a slow one leaves it to the others', async (t) => {
  const held: Parameters<Answer>[0][] = []
  const { endpoint } = await openEndpoint(t, (response) => held.push(response))
  const { target, invoke } = startLambda(t, endpoint, { concurrency: 16 })
  const free = (...names: string[]) => names.map((name) => target.freePlaces(name))
  let freed = 0
  target.onFreePlace(() => {
    freed += 1
  })
  const slow = Array.from({ length: 14 }, () => invoke('slow'))
  assert.deepEqual(free('slow', 'quick', 'other'), [0, 2, 2])
  const quick = invoke('quick')
  assert.deepEqual(free('slow', 'quick', 'other'), [0, 1, 1])
  const others = invoke('other')
  assert.deepEqual(free('slow', 'quick', 'other'), [0, 0, 0])
  assert.equal((await invoke('other')).result, 'deferred')
  await until(() => held.length === 16)
  for (const response of held) response.writeHead(202).end()
  await Promise.all([...slow, quick, others])
  assert.deepEqual(free('slow', 'other'), [14, 14])
  assert.equal(freed, 2)
})

test('an endpoint with few places reserves none', async (t) => {
  const { endpoint } = await openEndpoint(t, status(202))
  const { target } = startLambda(t, endpoint, { concurrency: 7 })
  assert.equal(target.freePlaces('slow'), 7)
})
