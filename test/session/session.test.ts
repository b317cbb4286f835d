import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect as connectTcp } from 'node:net'
import { Duplex } from 'node:stream'
import { suite, type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { type WebSocket, WebSocketServer } from 'ws'
import { FrameFlush } from '../../src/session/frame-flush.ts'
import { type SessionLimits, sessionLimits } from '../../src/session/limits.ts'
import { Pings } from '../../src/session/pings.ts'
import { Session } from '../../src/session/session.ts'
import { SessionSocket } from '../../src/session/session-socket.ts'
import { textFrame } from '../../src/session/text-frame.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { until } from '../support/until.ts'
import { readFrame } from './read-frame.ts'
import { SessionClient } from './session-client.ts'

const userArn = 'arn:aws:chime:us-east-1:000000000000:app-instance/a/user/ann'
const upgradeRequest = [
  'GET / HTTP/1.1',
  'Host: localhost',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
]

/** A server that makes a session of the one connection that is opened to it. */
async function listen(t: TestContext, limits: Partial<SessionLimits> = {}, wrap = (stream: Duplex) => stream) {
  const clock = new ManualClock()
  const server = createServer()
  const webSocketServer = new WebSocketServer<typeof SessionSocket>({ noServer: true, WebSocket: SessionSocket })
  const accepted = new Promise<{ session: Session; webSocket: WebSocket; ends: number[] }>((resolve) => {
    server.on('upgrade', (request, socket, head) => {
      const stream = wrap(socket)
      webSocketServer.handleUpgrade(request, stream, head, (webSocket) => {
        webSocket.watchBy({ onClose() {}, onError() {} })
        const ends: number[] = []
        const onEnd = () => void ends.push(clock.now())
        const allLimits = { ...sessionLimits, ...limits }
        const pings = new Pings(clock, allLimits.pingEveryMs)
        const parts = { limits: allLimits, flush: new FrameFlush(), pings, onEnd }
        const session = new Session(
          { userArn, userId: 1, sessionId: '1', key: { accessKeyId: 'AKIA' }, webSocket, stream },
          parts,
        )
        resolve({ session, webSocket, ends })
      })
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const webSocket of webSocketServer.clients) webSocket.terminate()
    server.close()
  })
  return { accepted, clock, port: (server.address() as AddressInfo).port }
}

async function open(t: TestContext, limits?: Partial<SessionLimits>) {
  const { accepted, clock, port } = await listen(t, limits)
  const client = new SessionClient(`ws://127.0.0.1:${port}`)
  return { ...(await accepted), clock, client }
}

const event = (number: number, size = 0) =>
  textFrame(JSON.stringify({ Headers: { 'x-amz-chime-event-type': `E${number}` }, Payload: `"${'x'.repeat(size)}"` }))

suite('a session', () => {
  test('sends nothing before it is established, and SESSION_ESTABLISHED first', async (t) => {
    const { session, client } = await open(t)
    session.deliver(event(1))
    session.establish()
    session.establish()
    session.deliver(event(2))
    assert.deepEqual(await client.eventTypes(2), ['SESSION_ESTABLISHED', 'E2'])
  })

  test('keeps the order of a thousand events', async (t) => {
    const { session, client } = await open(t)
    session.establish()
    for (let number = 0; number < 1000; number += 1) {
      session.deliver(event(number))
      if (number % 7 === 0) await setImmediate()
    }
    const expected = Array.from({ length: 1000 }, (_, number) => `E${number}`)
    assert.deepEqual(await client.eventTypes(1001), ['SESSION_ESTABLISHED', ...expected])
  })

  test('writes the frames of one tick at once', async (t) => {
    const { stream, writes } = recordingStream()
    const { accepted, port } = await listen(t, {}, () => stream)
    t.after(() => peer.destroy())
    const peer = connectTcp(port, '127.0.0.1', () => peer.write(`${upgradeRequest.join('\r\n')}\r\n\r\n`))
    const { session } = await accepted
    writes.length = 0
    session.establish()
    session.deliver(event(1))
    session.deliver(event(2))
    assert.equal(writes.length, 0)
    await setImmediate()
    session.deliver(event(3))
    await setImmediate()
    assert.deepEqual(
      writes.map((bytes) => bytes.toString('latin1').match(/SESSION_ESTABLISHED|E\d/g)),
      [['SESSION_ESTABLISHED', 'E1', 'E2'], ['E3']],
    )
  })

  test('sends what is for it alone, and its close frame, after what it was given before', async (t) => {
    const { session, client } = await open(t)
    session.establish()
    session.deliver(event(1))
    const sent = session.send(readFrame(event(2)))
    session.deliver(event(3))
    session.close(4000, 'enough')
    session.deliver(event(4))
    await sent
    assert.deepEqual(await client.eventTypes(4), ['SESSION_ESTABLISHED', 'E1', 'E2', 'E3'])
    assert.deepEqual(await client.closed, { code: 4000, reason: 'enough' })
  })

  test('answers the close frame of its client after what it was given before, and writes nothing after that', async (t) => {
    const { stream, writes } = recordingStream()
    const { accepted, port } = await listen(t, {}, () => stream)
    t.after(() => peer.destroy())
    const peer = connectTcp(port, '127.0.0.1', () => peer.write(`${upgradeRequest.join('\r\n')}\r\n\r\n`))
    const { session, webSocket } = await accepted
    session.establish()
    await setImmediate()
    writes.length = 0
    session.deliver(event(1))
    const maskedClose = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8])
    stream.push(maskedClose)
    await until(() => webSocket.readyState === webSocket.CLOSING)
    session.deliver(event(2))
    await setImmediate()
    const closeFrame = Buffer.from([0x88, 2, 0x03, 0xe8])
    assert.deepEqual(Buffer.concat(writes), Buffer.concat([event(1), closeFrame]))
  })

  test('ends once when it is closed, and says why in at most 123 bytes, cut between characters', async (t) => {
    const { session, client, ends, clock } = await open(t)
    session.close(4003, `${'é'.repeat(61)}€`)
    session.close(4002, 'again')
    assert.equal(session.isOpen, false)
    assert.deepEqual(await client.closed, { code: 4003, reason: 'é'.repeat(61) })
    session.establish()
    session.deliver(event(1))
    assert.equal(ends.length, 1)
    assert.equal(clock.nextAlarmMs, undefined)
  })

  test('ends once when its peer goes, however it goes', async (t) => {
    for (const leave of ['close', 'terminate'] as const) {
      const { client, webSocket, ends, clock } = await open(t)
      if (client.webSocket.readyState !== client.webSocket.OPEN) await once(client.webSocket, 'open')
      client.webSocket[leave]()
      await once(webSocket, 'close')
      assert.equal(ends.length, 1)
      assert.equal(clock.nextAlarmMs, undefined)
    }
  })

  test('does not wait for a frame that will never leave', async (t) => {
    const { session, webSocket } = await open(t)
    session.establish()
    webSocket.terminate()
    await session.send('{}')
  })
})

suite('a slow reader', () => {
  test('is closed with 1013, so that its client comes back', async (t) => {
    const { session, client, ends } = await open(t, { bufferedBytesMax: 65_536 })
    session.establish()
    await client.next()
    client.webSocket.pause()
    await fillUntilEnded(session)
    assert.equal(ends.length, 1)
    client.webSocket.resume()
    assert.deepEqual(await client.closed, {
      code: 1013,
      reason: 'Slow reader: more than 65536 bytes were waiting to be read',
    })
  })

  test('is not somebody to whom much is sent in one tick', async (t) => {
    const { session, client } = await open(t, { bufferedBytesMax: 600_000 })
    session.establish()
    for (let number = 1; number < 200; number += 1) session.deliver(event(number, 10_000))
    assert.equal((await client.eventTypes(200)).at(-1), 'E199')
    assert.equal(session.isOpen, true)
  })

  test('is any to whom more than four times as much is sent in one tick', async (t) => {
    const { session, webSocket } = await open(t, { bufferedBytesMax: 65_536 })
    session.establish()
    for (let number = 1; number < 200 && session.isOpen; number += 1) {
      assert.ok(webSocket.bufferedAmount < 5 * 65_536, `${webSocket.bufferedAmount} bytes wait`)
      session.deliver(event(number, 10_000))
    }
    assert.equal(session.isOpen, false)
  })
})

suite('pings', () => {
  test('keep a session that answers them', async (t) => {
    const { session, client, webSocket, clock } = await open(t)
    for (let ping = 0; ping < 5; ping += 1) {
      const answered = once(webSocket, 'pong')
      clock.advance(30_000)
      await answered
    }
    session.establish()
    assert.equal((await client.next()).eventType, 'SESSION_ESTABLISHED')
  })

  test('end a session that has missed two', async (t) => {
    const { accepted, clock, port } = await listen(t)
    const peer = connectTcp(port, '127.0.0.1', () => peer.write(`${upgradeRequest.join('\r\n')}\r\n\r\n`))
    const { session, webSocket } = await accepted
    clock.advance(30_000)
    clock.advance(30_000)
    clock.advance(29_999)
    assert.equal(webSocket.readyState, webSocket.OPEN)
    clock.advance(1)
    await once(peer.resume(), 'close')
    assert.equal(session.isOpen, false)
    assert.equal(clock.nextAlarmMs, undefined)
  })
})

/** Instead of the socket, a stream that records what is written to it. What is pushed to it comes from the peer. */
function recordingStream() {
  const writes: Buffer[] = []
  const stream = new Duplex({ read() {}, writev: (chunks, done) => done(void writes.push(joined(chunks))) })
  return { stream, writes }
}

const joined = (chunks: { chunk: Buffer }[]) => Buffer.concat(chunks.map(({ chunk }) => Buffer.from(chunk)))

/** Until the kernel's buffers are full, and then the session's. */
async function fillUntilEnded(session: Session): Promise<void> {
  for (let tick = 0; tick < 2000 && session.isOpen; tick += 1) {
    session.deliver(event(tick, 65_536))
    await setImmediate()
  }
  assert.ok(!session.isOpen, 'the session never ended')
}
