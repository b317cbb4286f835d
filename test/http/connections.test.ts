import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { until } from '../support/until.ts'
import { type Client, signatureTimeoutMs, startGuarded } from './guarded-server.ts'

const get = 'GET / HTTP/1.1\r\nhost: localhost\r\n\r\n'
const signed = 'GET / HTTP/1.1\r\nhost: localhost\r\nx-signed: 1\r\n\r\n'
const upgrade = 'GET /connect HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'
const beginning = 'POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{'

const closed = (client: Client) => until(() => client.closed)
/** The type that SDKs see, of the last response. */
const typeOf = ({ text }: Client) => /x-amzn-errortype: (\w+)/i.exec(text)?.[1]

for (const tls of [false, true]) {
  suite(`until a signature is verified${tls ? ', over TLS' : ''}`, () => {
    test('a silent connection ends in time, with 408', async (t) => {
      const server = await startGuarded(t, { tls })
      const client = await server.connect()
      server.clock.advance(signatureTimeoutMs - 1)
      assert.equal(server.counts, '0 + 1')
      server.clock.advance(1)
      assert.equal(await server.status(client), 408)
      assert.equal(typeOf(client), 'RequestTimeoutException')
      await closed(client)
      assert.deepEqual(server.rejected, ['timeout'])
      assert.equal(server.counts, '0 + 0')
    })

    test('headers that are dripped end in time', async (t) => {
      const server = await startGuarded(t, { tls })
      const client = await server.connect()
      for (const letter of 'GET / HT') {
        client.socket.write(letter)
        server.clock.advance(500)
      }
      assert.ok(!client.closed)
      server.clock.advance(1_000)
      assert.equal(await server.status(client), 408)
      await closed(client)
    })

    test('a body that is dripped ends in time, which begins after the headers', async (t) => {
      const server = await startGuarded(t, { tls })
      const client = await server.connect()
      server.clock.advance(4_000)
      const read = server.reads('headers')
      client.socket.write(beginning)
      await read
      server.clock.advance(4_999)
      assert.equal(server.counts, '0 + 1')
      client.socket.write('x')
      server.clock.advance(1)
      assert.equal(await server.status(client), 408)
      await closed(client)
    })

    test('a connection that idles after an unsigned request ends in time, without a response', async (t) => {
      const server = await startGuarded(t, { tls })
      const client = await server.connect()
      assert.equal(await server.call(client, get), 200)
      await until(() => server.responded === 1)
      server.clock.advance(4_000)
      assert.equal(await server.call(client, get), 200)
      await until(() => server.responded === 2)
      client.text = ''
      server.clock.advance(signatureTimeoutMs)
      await closed(client)
      assert.equal(client.text, '')
    })
  })
}

test('a TLS handshake that is silent ends in time', async (t) => {
  const server = await startGuarded(t, { tls: true })
  const client = await server.connect({ raw: true })
  assert.equal(server.counts, '0 + 1')
  server.clock.advance(signatureTimeoutMs)
  await closed(client)
  assert.deepEqual([client.text, server.counts, server.rejected], ['', '0 + 0', ['timeout']])
})

test('a request that waits for the verification of its signature is not cut off with the others', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const server = await startGuarded(t, { limits: { perAddress: 1 }, verify: () => promise })
  const client = await server.connect()
  const read = server.reads('all')
  client.socket.write(signed)
  await read
  server.clock.advance(20_000)
  const other = await server.connect()
  assert.equal(await server.status(other), 503)
  resolve()
  assert.equal(await server.status(client), 200)
  assert.equal(server.counts, '1 + 0')
})

suite('after a signature was verified', () => {
  test('a connection idles, and takes as long as others for the next request', async (t) => {
    const server = await startGuarded(t)
    const client = await server.connectSigned()
    assert.equal(server.counts, '1 + 0')
    server.clock.advance(60_000)
    const read = server.reads('headers')
    client.socket.write(beginning)
    await read
    server.clock.advance(60_000)
    client.text = ''
    client.socket.write('12345678')
    assert.equal(await server.status(client), 200)
    assert.equal(await server.call(client, get), 200)
    assert.deepEqual([server.counts, server.rejected], ['1 + 0', []])
  })

  test('it does not count against its address', async (t) => {
    const server = await startGuarded(t, { limits: { perAddress: 2 } })
    for (let count = 1; count <= 5; count += 1) await server.connectSigned()
    assert.equal(server.counts, '5 + 0')
    assert.deepEqual(server.rejected, [])
  })

  test('a session counts as a connection with a signature once its connect is verified', async (t) => {
    const server = await startGuarded(t, { limits: { perAddress: 1 } })
    server.server.on('upgrade', (request) => server.connections.verified(request.socket))
    for (let count = 1; count <= 3; count += 1) {
      const client = await server.connect()
      assert.equal(await server.call(client, upgrade), 101)
    }
    server.clock.advance(60_000)
    assert.equal(server.counts, '3 + 0')
  })

  test('a session that is never verified ends', async (t) => {
    const server = await startGuarded(t)
    const client = await server.connect()
    await server.call(client, upgrade)
    server.clock.advance(30_000)
    await closed(client)
  })
})

suite('after a stall of the event loop', () => {
  for (const tls of [false, true]) {
    test(`what has arrived meanwhile is read before a deadline counts${tls ? ', over TLS' : ''}`, async (t) => {
      const server = await startGuarded(t, { tls })
      const client = await server.connect()
      client.socket.write(signed)
      // The bytes are in the kernel, and the sweep runs before they are read.
      if (tls) await new Promise((resolve) => client.socket.write('', resolve))
      server.clock.stall(60_000)
      assert.equal(await server.status(client), 200)
      assert.deepEqual([server.counts, server.rejected], ['1 + 0', []])
    })
  }

  test('a silent connection ends soon', async (t) => {
    const server = await startGuarded(t)
    const client = await server.connect()
    server.clock.stall(60_000)
    assert.equal(server.counts, '0 + 1')
    server.clock.advance(500)
    assert.equal(await server.status(client), 408)
    assert.deepEqual(server.rejected, ['timeout'])
  })
})

suite('where descriptors are short', () => {
  test('a new connection takes the place of one without a signature, or is closed without a response', async (t) => {
    const server = await startGuarded(t, { limits: { reserve: 10 } })
    await server.connectSigned()
    const silent = await server.connect()
    server.descriptors.open = server.descriptors.limit - 10
    server.clock.advance(1_000)
    const signedOne = await server.connectSigned()
    await closed(silent)
    assert.equal(silent.text, '')
    const refused = await server.connect()
    await closed(refused)
    assert.deepEqual([refused.text, signedOne.closed, server.counts], ['', false, '2 + 0'])
    assert.deepEqual(server.rejected, ['reserve', 'reserve'])
    assert.deepEqual(server.shortages, [])
  })

  test('they are counted again when many connections have come', async (t) => {
    const server = await startGuarded(t, { limits: { reserve: 10 } })
    await server.connect()
    server.descriptors.open = server.descriptors.limit - 10
    for (let count = 1; count <= 32; count += 1) await server.connect()
    assert.deepEqual(server.rejected, ['reserve'])
  })

  test('it is a shortage when next to none is left, or cannot even be found out', async (t) => {
    const server = await startGuarded(t)
    const client = await server.connectSigned()
    server.descriptors.open = server.descriptors.limit - 7
    server.clock.advance(999)
    await server.call(client, signed)
    assert.deepEqual(server.shortages, [])
    server.clock.advance(1)
    await server.call(client, signed)
    assert.deepEqual(server.shortages, ['descriptors'])
    Object.defineProperty(server.descriptors, 'limit', {
      get: () => {
        throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' })
      },
    })
    server.clock.advance(1_000)
    await server.call(client, signed)
    assert.deepEqual(server.shortages, ['descriptors', 'descriptors'])
  })

  test('so is a connection that cannot be accepted', async (t) => {
    const server = await startGuarded(t)
    server.server.emit('error', Object.assign(new Error('accept ENFILE'), { code: 'ENFILE', syscall: 'accept' }))
    assert.deepEqual(server.shortages, ['descriptors'])
  })
})

test('the log has one warning a minute, with what was rejected meanwhile', async (t) => {
  const server = await startGuarded(t, { limits: { perAddress: 1 } })
  for (let count = 0; count < 4; count += 1) await server.connect()
  const of = (rejected: number) => ({
    limits: { address: rejected },
    addresses: 1,
    mostFrom: { address: '127.0.0.1', rejected },
  })
  assert.deepEqual(server.warnings, [of(1)])
  server.clock.advance(60_000)
  assert.deepEqual(server.warnings, [of(1), of(2)])
  server.clock.advance(120_000)
  assert.deepEqual(server.warnings, [of(1), of(2)])
})

test('a stop ends what never signed, TLS handshakes among it', async (t) => {
  const server = await startGuarded(t, { tls: true })
  const clients = [await server.connect({ raw: true }), await server.connect()]
  server.connections.close()
  for (const client of clients) await closed(client)
})
