import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { serverOptions } from '../../src/http/serve.ts'
import { rootGrant } from '../../src/keys/grant.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { listen } from './listening.ts'

const bodyBytesMax = 1024 * 1024
const host = 'host: localhost\r\n'

/** The status codes of so many answers on a connection. */
async function statuses(socket: Socket, count: number): Promise<number[]> {
  let text = ''
  for await (const chunk of socket.setEncoding('latin1').iterator({ destroyOnReturn: false })) {
    text += chunk
    const found = [...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status))
    if (found.length >= count) return found
  }
  throw new Error(`The connection was closed after: ${text}`)
}

/** A JSON text of exactly so many bytes. */
const bodyOf = (bytes: number) => `{"Name":"b"}${' '.repeat(bytes - 12)}`

test('a body of 1 MiB is taken, one byte more is refused', async (t) => {
  const { call } = await listen(t)
  assert.equal((await call('POST', '/bells', { body: bodyOf(bodyBytesMax) })).status, 201)
  const refused = await call('POST', '/bells', { body: bodyOf(bodyBytesMax + 1) })
  assert.equal(refused.status, 413)
  assert.equal(refused.headers['x-amzn-errortype'], 'BadRequestException')
  assert.deepEqual(JSON.parse(refused.text), {
    Code: 'BadRequest',
    Message: 'The request body must have at most 1048576 bytes',
  })
})

test('a body in chunks is taken up to the same limit', async (t) => {
  const { call } = await listen(t)
  const headers = { 'transfer-encoding': 'chunked' }
  assert.equal((await call('POST', '/bells', { headers, body: bodyOf(bodyBytesMax) })).status, 201)
  assert.equal((await call('POST', '/bells', { headers, body: bodyOf(bodyBytesMax + 1) })).status, 413)
})

test('a body that is too large is answered before its end, and the connection lives on after it', async (t) => {
  const socket = await (await listen(t)).connect()
  const rest = 'x'.repeat(2 * bodyBytesMax)
  socket.write(`POST /bells HTTP/1.1\r\n${host}content-length: ${rest.length}\r\n\r\n`)
  assert.deepEqual(await statuses(socket, 1), [413])
  socket.write(`${rest}GET /bells HTTP/1.1\r\n${host}\r\n`)
  assert.deepEqual(await statuses(socket, 1), [200])
})

test('a body without an end is refused first, and cut off later', async (t) => {
  const socket = await (await listen(t)).connect()
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
  socket.write(`POST /bells HTTP/1.1\r\n${host}transfer-encoding: chunked\r\n\r\n${chunk.repeat(17)}`)
  assert.deepEqual(await statuses(socket, 1), [413])
  const closed = new Promise((resolve) => socket.on('error', resolve).on('close', resolve))
  const feed = () => {
    while (socket.writable && socket.write(chunk));
  }
  socket.on('drain', feed)
  feed()
  await closed
})

test('a caller that waits for 100 Continue gets it', async (t) => {
  const { port } = await listen(t)
  const request = httpRequest({ port, host: '127.0.0.1', method: 'POST', path: '/bells', agent: false })
  request.setHeader('expect', '100-continue')
  request.flushHeaders()
  await once(request, 'continue')
  request.end('{"Name":"b"}')
  const [response] = await once(request, 'response')
  assert.equal(response.statusCode, 201)
  response.resume()
})

test('an upload that is given up leaves a line in the log, and the server goes on', async (t) => {
  const lines: string[] = []
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>()
  const { promise: gone, resolve: go } = Promise.withResolvers<void>()
  const debug = (_: object, text: string) => {
    lines.push(text)
    if (text === 'request aborted by the caller') go()
  }
  const newId = () => {
    arrive()
    return 'request'
  }
  const { connect, call } = await listen(t, { newId, log: { ...silentLog, debug } })
  const socket = await connect()
  socket.write(`POST /bells HTTP/1.1\r\n${host}content-length: 100\r\n\r\n{"Name`)
  await arrived
  socket.destroy()
  await gone
  assert.equal((await call('GET', '/bells')).status, 200)
  assert.deepEqual(lines, ['request aborted by the caller', 'request completed'])
})

test('a caller that leaves before its answer is sent does no harm', async (t) => {
  let leave = () => {}
  const { connect, call } = await listen(t, {
    authenticate: async () => {
      leave()
      return { ok: true, credentials: { accessKeyId: 'AKIA', secretAccessKey: 'secret', grant: rootGrant } }
    },
    act: () => ({ Name: 'x'.repeat(256) }),
  })
  const socket = await connect()
  leave = () => socket.destroy()
  socket.write(`GET /bells HTTP/1.1\r\n${host}\r\n`)
  await once(socket, 'close')
  leave = () => {}
  assert.equal((await call('GET', '/bells')).status, 200)
})

test('calls sent at once on one connection are answered in order, errors among them', async (t) => {
  const socket = await (await listen(t)).connect()
  const post = (body: string) => `POST /bells HTTP/1.1\r\n${host}content-length: ${body.length}\r\n\r\n${body}`
  const get = (target: string) => `GET ${target} HTTP/1.1\r\n${host}\r\n`
  socket.write(
    post('{"Name":') + get('/unknown') + post('[]') + get('/bells/%zz') + get('/bells') + post('{"Name":"b"}'),
  )
  assert.deepEqual(await statuses(socket, 6), [400, 404, 400, 400, 200, 201])
})

test('ARNs as long as they may be fit into path and headers', async (t) => {
  const { call } = await listen(t)
  const longest = 'a%2F'.repeat(800)
  const headers = { 'x-amz-chime-bearer': 'a'.repeat(1600) }
  assert.equal((await call('DELETE', `/bells/${longest}/hangers/${longest}`, { headers })).status, 400)
  assert.ok(serverOptions.maxHeaderSize > 2 * 1600 * 3 + 1600 + 2048 * 3)
})

test('a preflight may ask for any header text that HTTP allows', async (t) => {
  const socket = await (await listen(t)).connect()
  socket.write(Buffer.from(`OPTIONS / HTTP/1.1\r\n${host}access-control-request-headers: a\tb\xff~\r\n\r\n`, 'latin1'))
  assert.deepEqual(await statuses(socket, 1), [204])
})

test('a connection has signed once a signature was verified on it, by a key that is not suspended', async (t) => {
  const verified: unknown[] = []
  let suspended = true
  const { call } = await listen(t, {
    authenticate: async () => ({
      ok: true,
      credentials: { accessKeyId: 'AKIA', secretAccessKey: 'secret', grant: rootGrant, suspended },
    }),
    onVerified: (stream) => void verified.push(stream.remoteAddress),
  })
  await call('GET', '/nothing')
  await call('GET', '/bells')
  assert.deepEqual(verified, [])
  suspended = false
  await call('GET', '/bells')
  assert.deepEqual(verified, ['127.0.0.1'])
})
