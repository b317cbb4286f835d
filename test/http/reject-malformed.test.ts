import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { suite, type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { rejectMalformed } from '../../src/http/reject-malformed.ts'
import { serverOptions } from '../../src/http/serve.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { createAuthority, issueCertificate } from '../../src/tls/issue-certificate.ts'

const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5)

interface Server {
  port: number
  /** The codes of what could not be read. */
  logged: unknown[]
  connect(): Socket
}

/** A server that answers every request that Node can read to its end with `fine`. */
async function listen(t: TestContext, options: object = {}, { tls = false } = {}): Promise<Server> {
  const logged: unknown[] = []
  const authority = await createAuthority(Date.now())
  const { certificatePem: cert, privateKeyPem: key } = await issueCertificate(authority, ['localhost'], Date.now())
  const settings = { ...serverOptions, ...options, cert, key }
  const answer: RequestListener = (request, response) => {
    request.resume().on('end', () => response.end('fine'))
  }
  const server = tls ? createHttpsServer(settings, answer) : createServer(settings, answer)
  const log = { ...silentLog, debug: (fields: object) => void logged.push((fields as { code?: string }).code) }
  server.on('clientError', rejectMalformed({ clock: { now: () => nowMs }, log, newId: () => 'request-1' }))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const open = () =>
    tls ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }) : connect(port, '127.0.0.1')
  return { port, logged, connect: open }
}

/** What a caller reads until the server hangs up. */
async function answerTo(socket: Socket, request: string) {
  socket.write(request)
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n')
  const [status, ...lines] = head.split('\r\n')
  const headers = Object.fromEntries(lines.map((line) => line.toLowerCase().split(': ')))
  return { status, headers, body }
}

const tooManyHeaders = `GET / HTTP/1.1\r\nhost: localhost\r\nx-long: ${'a'.repeat(33 * 1024)}\r\n\r\n`

suite('answered in the form of AWS', () => {
  const cases: [what: string, request: string, status: string, code: string][] = [
    ['what is not HTTP', 'HELO localhost\r\n\r\n', '400 Bad Request', 'HPE_INVALID_METHOD'],
    ['a header without a colon', 'GET / HTTP/1.1\r\nhost\r\n\r\n', '400 Bad Request', 'HPE_INVALID_HEADER_TOKEN'],
    [
      'a body of two lengths',
      'POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n',
      '400 Bad Request',
      'HPE_INVALID_TRANSFER_ENCODING',
    ],
    ['headers beyond 32 kB', tooManyHeaders, '431 Request Header Fields Too Large', 'HPE_HEADER_OVERFLOW'],
  ]
  for (const [what, request, status, code] of cases) {
    for (const tls of [false, true]) {
      test(`${what}${tls ? ', over TLS' : ''}`, async (t) => {
        const { connect, logged } = await listen(t, {}, { tls })
        const answer = await answerTo(connect(), request)
        assert.equal(answer.status, `HTTP/1.1 ${status}`)
        assert.equal(answer.headers['x-amzn-errortype'], 'badrequestexception')
        assert.equal(answer.headers['x-amzn-requestid'], 'request-1')
        assert.equal(answer.headers['access-control-allow-origin'], '*')
        assert.equal(answer.headers.date, 'fri, 02 jan 2026 03:04:05 gmt')
        assert.equal(answer.headers.connection, 'close')
        assert.equal(Number(answer.headers['content-length']), answer.body.length)
        assert.equal(JSON.parse(answer.body).Code, 'BadRequest')
        assert.deepEqual(logged, [code])
      })
    }
  }

  test('a request that never ends', async (t) => {
    const { connect } = await listen(t, { headersTimeout: 50, requestTimeout: 50, connectionsCheckingInterval: 10 })
    for (const beginning of ['GET / HT', 'POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{']) {
      const answer = await answerTo(connect(), beginning)
      assert.equal(answer.status, 'HTTP/1.1 408 Request Timeout')
      assert.equal(answer.headers['x-amzn-errortype'], 'requesttimeoutexception')
      assert.equal(JSON.parse(answer.body).Code, 'RequestTimeout')
    }
  })
})

test('what went before on the connection is answered first', async (t) => {
  const { connect } = await listen(t)
  const socket = connect()
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')
  await once(socket, 'readable')
  socket.write('nonsense\r\n\r\n')
  const statuses = [...(await text(socket)).matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)
  assert.deepEqual(statuses, ['200', '400'])
})

test('the answer gets through while the caller goes on sending', async (t) => {
  const { connect, logged } = await listen(t)
  const socket = connect().on('error', () => {})
  const request = tooManyHeaders.repeat(8)
  assert.equal((await answerTo(socket, request)).status, 'HTTP/1.1 431 Request Header Fields Too Large')
  assert.deepEqual(logged, ['HPE_HEADER_OVERFLOW'])
})

test('plain HTTP on the TLS port is hung up on, and the server goes on', async (t) => {
  const { connect: connectByTls, port, logged } = await listen(t, {}, { tls: true })
  const plain = connect(port, '127.0.0.1')
  plain.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')
  assert.doesNotMatch(await text(plain).catch(() => ''), /HTTP/)
  const answer = await answerTo(connectByTls(), 'GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
  assert.equal(answer.status, 'HTTP/1.1 200 OK')
  assert.deepEqual(logged, [])
})
