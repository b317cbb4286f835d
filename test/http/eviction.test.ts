import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { unlessRequired } from '../support/required.ts'
import { until } from '../support/until.ts'
import { type Client, signatureTimeoutMs, startGuarded } from './guarded-server.ts'

const get = 'GET / HTTP/1.1\r\nhost: localhost\r\n\r\n'
const signed = 'GET / HTTP/1.1\r\nhost: localhost\r\nx-signed: 1\r\n\r\n'
const upgrade = 'GET /connect HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'
const beginning = 'POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{'

const closed = (client: Client) => until(() => client.closed)
/** The type that SDKs see, of the last response. */
const typeOf = ({ text }: Client) => /x-amzn-errortype: (\w+)/i.exec(text)?.[1]

suite('where an address has its limit', () => {
  const limits = { perAddress: 2 }

  test('its oldest silent connection is closed for a new one, with 503', async (t) => {
    const server = await startGuarded(t, { limits })
    const [oldest, second] = [await server.connect(), await server.connect()]
    const newest = await server.connect()
    assert.equal(await server.status(oldest), 503)
    assert.equal(typeOf(oldest), 'ServiceUnavailableException')
    assert.match(oldest.text, /\r\nretry-after: 1\r\n/)
    await closed(oldest)
    assert.equal(await server.call(newest, signed), 200)
    assert.equal(await server.call(second, signed), 200)
    assert.deepEqual(server.rejected, ['address'])
  })

  for (const tls of [false, true]) {
    test(`one that is young and has begun to send is passed over${tls ? ', over TLS' : ''}`, async (t) => {
      const server = await startGuarded(t, { limits, tls })
      const oldest = await server.connect()
      if (!tls) {
        const read = server.reads('headers')
        oldest.socket.write(beginning)
        await read
      }
      const silent = await server.connect({ raw: true })
      await server.connect({ raw: true })
      await closed(silent)
      assert.ok(!oldest.closed)
      assert.deepEqual(server.rejected, ['address'])
    })
  }

  test('a new one is refused with 503 while all are young and have begun to send', async (t) => {
    const server = await startGuarded(t, { limits })
    const [oldest, second] = [await server.connect(), await server.connect()]
    for (const client of [oldest, second]) {
      const read = server.reads('headers')
      client.socket.write(beginning)
      await read
    }
    const newest = await server.connect()
    newest.socket.write(beginning)
    assert.equal(await server.status(newest), 503)
    assert.equal(typeOf(newest), 'ServiceUnavailableException')
    newest.socket.end()
    await closed(newest)
    server.clock.advance(1_000)
    await server.connect()
    assert.equal(await server.status(oldest), 503)
    assert.ok(!second.closed)
    assert.deepEqual(server.rejected, ['address', 'address'])
  })

  test('one that is refused and does not go away is cut off', async (t) => {
    const server = await startGuarded(t, { limits: { perAddress: 1 } })
    const oldest = await server.connect()
    const read = server.reads('headers')
    oldest.socket.write(beginning)
    await read
    const refused = await server.connect()
    refused.socket.setKeepAlive(true)
    refused.socket.write('more and more')
    assert.equal(await server.status(refused), 503)
    server.clock.advance(1_000)
    await closed(refused)
    assert.equal(server.counts, '0 + 1')
  })

  test('one that pipelines can be closed for a new one, whatever the server has in hand', async (t) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const server = await startGuarded(t, { limits: { perAddress: 1 }, verify: () => promise })
    const client = await server.connect()
    let received = 0
    server.server.on('request', (request) => request.once('end', () => (received += 1)))
    client.socket.write(get + get)
    await until(() => received === 2)
    server.clock.advance(1_000)
    await server.connect()
    await closed(client)
    resolve()
  })

  test('one that does not read its response can be closed for a new one, and ends in time', async (t) => {
    const response = 'x'.repeat(32 * 1024 * 1024)
    const server = await startGuarded(t, { limits, response })
    const clients = [await server.connect(), await server.connect()]
    for (const { socket } of clients) {
      const read = server.reads('all')
      socket.pause().write(get)
      await read
    }
    await server.connect()
    assert.equal(server.counts, '0 + 2')
    server.clock.advance(signatureTimeoutMs)
    assert.equal(server.counts, '0 + 0')
    assert.deepEqual(server.rejected, ['address', 'timeout', 'timeout'])
  })

  test('one whose body comes after the response can be closed for a new one', async (t) => {
    const server = await startGuarded(t, { limits: { perAddress: 1 } })
    server.server.on('request', (request, response) => {
      if (request.url === '/too-large') response.end('too large')
    })
    const client = await server.connect()
    const read = server.reads('all')
    assert.equal(await server.call(client, 'POST /too-large HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n'), 200)
    client.socket.write('123456789')
    await read
    await server.connect()
    await closed(client)
    assert.deepEqual([server.counts, server.rejected], ['0 + 1', ['address']])
  })

  test('others have their own', {
    skip: unlessRequired(process.platform !== 'linux' && '127.0.0.2 is an address on Linux alone'),
  }, async (t) => {
    const server = await startGuarded(t, { limits })
    const one = [await server.connect(), await server.connect()]
    const other = [
      await server.connect({ localAddress: '127.0.0.2' }),
      await server.connect({ localAddress: '127.0.0.2' }),
    ]
    assert.deepEqual([server.counts, server.rejected], ['0 + 4', []])
    assert.ok([...one, ...other].every((client) => !client.closed))
  })
})

suite('a session without a signature', () => {
  test('does not keep others from being closed for a new one while it opens', async (t) => {
    const server = await startGuarded(t, { limits: { perAddress: 2 } })
    const session = await server.connect()
    assert.equal(await server.call(session, upgrade), 101)
    const silent = await server.connect()
    server.clock.advance(1_000)
    const signedOne = await server.connectSigned()
    assert.equal(await server.status(silent), 503)
    assert.deepEqual([session.closed, signedOne.closed, server.rejected], [false, false, ['address']])
  })

  for (const tls of [false, true]) {
    test(`is closed for a new one once it is refused${tls ? ', over TLS' : ''}`, async (t) => {
      const server = await startGuarded(t, { limits: { perAddress: 1 }, tls })
      server.server.on('upgrade', (request) => server.connections.refused(request.socket))
      const session = await server.connect()
      assert.equal(await server.call(session, upgrade), 101)
      await server.connectSigned()
      await closed(session)
      assert.doesNotMatch(session.text, /503/)
      assert.deepEqual([server.counts, server.rejected], ['1 + 0', ['address']])
    })
  }

  test('ends in time once it is refused', async (t) => {
    const server = await startGuarded(t)
    server.server.on('upgrade', (request) => server.connections.refused(request.socket))
    const session = await server.connect()
    assert.equal(await server.call(session, upgrade), 101)
    server.clock.advance(signatureTimeoutMs)
    await closed(session)
    assert.deepEqual(server.rejected, ['timeout'])
  })
})

suite('where all connections are taken', () => {
  const limits = { all: 3 }

  test('the oldest without a signature is closed for a new one', async (t) => {
    const server = await startGuarded(t, { limits })
    const signedOne = await server.connectSigned()
    const [oldest, second] = [await server.connect(), await server.connect()]
    const newest = await server.connectSigned()
    assert.equal(await server.status(oldest), 503)
    assert.deepEqual([signedOne.closed, second.closed, newest.closed], [false, false, false])
    assert.deepEqual([server.counts, server.rejected], ['2 + 1', ['all']])
  })

  test('a new one is refused if all have a signature', async (t) => {
    const server = await startGuarded(t, { limits })
    const clients = [await server.connectSigned(), await server.connectSigned(), await server.connectSigned()]
    const refused = await server.connect()
    assert.equal(await server.status(refused), 503)
    assert.deepEqual([server.counts, server.rejected], ['3 + 0', ['all']])
    clients[0]!.socket.destroy()
    await until(() => server.counts === '2 + 0')
    await server.connectSigned()
    assert.equal(server.counts, '3 + 0')
  })
})
