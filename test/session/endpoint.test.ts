import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect as connectTcp } from 'node:net'
import { suite, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { silentLog } from '../../src/runtime/log.ts'
import { Metrics } from '../../src/runtime/metrics.ts'
import { until } from '../support/until.ts'
import { connect, SessionClient, start } from './session-client.ts'
import { channelArnOf, startSessionServer, userArnOf } from './session-server.ts'

const ann = userArnOf('ann')
const bob = userArnOf('bob')
const channelArn = channelArnOf('c')

suite('an upgrade', () => {
  test('to another path is answered with 404, as the API answers', async (t) => {
    const { port } = await startSessionServer(t)
    const answer = await refused(`ws://127.0.0.1:${port}/elsewhere?userArn=x`)
    assert.equal(answer.status, 404)
    assert.equal(answer.headers['x-amzn-errortype'], 'NotFoundException')
    assert.deepEqual(answer.body, {
      Code: 'NotFound',
      Message: 'Messaging sessions connect to /connect, not to /elsewhere',
    })
  })

  test('that breaks the protocol is answered with 400 and what is wrong', async (t) => {
    const { port } = await startSessionServer(t)
    const answer = await rawAnswer(
      port,
      'GET /connect HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    )
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/)
    assert.match(answer, /"Missing or invalid Sec-WebSocket-Key header"/)
  })

  test('beyond the sessions the server can take is answered with 503, until one has gone', async (t) => {
    const { port, endpoint } = await startSessionServer(t, { limits: { sessionsMax: 1 } })
    const client = await start({ port, userArn: ann })
    const answer = await refused(`ws://127.0.0.1:${port}/connect?userArn=${bob}&sessionId=1`)
    assert.equal(answer.status, 503)
    assert.equal(answer.headers['retry-after'], '1')
    assert.equal(answer.body.Code, 'ServiceUnavailable')
    client.webSocket.close()
    await until(() => endpoint.size.sockets === 0)
    await start({ port, userArn: bob })
  })

  test('is taken by each server the endpoint is attached to', async (t) => {
    const { endpoint, port } = await startSessionServer(t)
    const { server, port: otherPort } = await startSessionServer(t)
    server.removeAllListeners('upgrade')
    endpoint.attach(server)
    await Promise.all([start({ port, userArn: ann }), start({ port: otherPort, userArn: bob })])
    assert.deepEqual(endpoint.size, { sessions: 2, sockets: 2 })
  })
})

suite('a connect', () => {
  test('is upgraded first, and closed with 4401 if it is not signed as it should be', async (t) => {
    const { port, hub } = await startSessionServer(t)
    const client = new SessionClient(`ws://127.0.0.1:${port}/connect?userArn=${ann}`)
    await once(client.webSocket, 'open')
    assert.deepEqual(await client.closed, { code: 4401, reason: 'Unauthorized: userArn or sessionId is missing' })
    assert.deepEqual(hub.size, { users: 0, channels: 0 })
  })

  test('is closed with 4003 if the key may not connect as the user', async (t) => {
    const admitted: unknown[] = []
    const { port } = await startSessionServer(t, {
      async admit({ accessKeyId }, userArn) {
        admitted.push({ accessKeyId, userArn })
        return { admitted: false, reason: 'Forbidden: there is no such user' }
      },
    })
    const { closed } = connect({ port, userArn: ann })
    assert.deepEqual(await closed, { code: 4003, reason: 'Forbidden: there is no such user' })
    assert.deepEqual(admitted, [{ accessKeyId: 'AKIATEST', userArn: ann }])
  })

  test('is authenticated by its target and Host header as they came', async (t) => {
    const seen: string[] = []
    const { port } = await startSessionServer(t, {
      async authenticate(target, host) {
        seen.push(target, host)
        return { ok: false, reason: 'Unauthorized' }
      },
    })
    await new SessionClient(`ws://127.0.0.1:${port}/connect?b=%2f+&a`).closed
    assert.deepEqual(seen, ['/connect?b=%2f+&a', `127.0.0.1:${port}`])
  })

  test('that fails inside the server is closed with 1011 and logged', async (t) => {
    const errors: object[] = []
    const { port, hub } = await startSessionServer(t, {
      admit: () => Promise.reject(new Error('the disk is gone')),
      log: { ...silentLog, error: (fields) => errors.push(fields) },
    })
    const { code } = await connect({ port, userArn: ann }).closed
    assert.equal(code, 1011)
    assert.match(String(Object.values(errors[0] ?? {})), /the disk is gone/)
    assert.deepEqual(hub.size, { users: 0, channels: 0 })
  })

  test('that takes too long is closed with 1011', async (t) => {
    const admission = Promise.withResolvers<{ admitted: true; userId: number }>()
    const { port, hub, clock } = await startSessionServer(t, { admit: () => admission.promise })
    const client = connect({ port, userArn: ann })
    await once(client.webSocket, 'open')
    clock.advance(10_000)
    assert.equal((await client.closed).code, 1011)
    admission.resolve({ admitted: true, userId: 1 })
    await setImmediate()
    assert.deepEqual(hub.size, { users: 0, channels: 0 })
  })

  test('whose client leaves before it is admitted leaves nothing behind', async (t) => {
    const admission = Promise.withResolvers<{ admitted: true; userId: number }>()
    const { port, hub, endpoint, clock } = await startSessionServer(t, { admit: () => admission.promise })
    const { webSocket } = connect({ port, userArn: ann })
    await once(webSocket, 'open')
    webSocket.terminate()
    await until(() => endpoint.size.sockets === 0)
    admission.resolve({ admitted: true, userId: 1 })
    await setImmediate()
    assert.deepEqual(hub.size, { users: 0, channels: 0 })
    assert.equal(clock.nextAlarmMs, undefined)
  })
})

suite('the limits on connections learn', () => {
  type Parts = NonNullable<Parameters<typeof startSessionServer>[1]>
  const cases: [name: string, target: string, parts: Parts, learned: string][] = [
    ['that a session was verified', `/connect?userArn=${ann}&sessionId=1`, {}, 'verified'],
    ['of an upgrade to another path', '/elsewhere', {}, 'refused'],
    ['of a connect without a signature', '/connect', {}, 'refused'],
    [
      'of a connect whose key may not connect as the user',
      `/connect?userArn=${ann}&sessionId=1`,
      { admit: async () => ({ admitted: false, reason: 'Forbidden' }) },
      'refused',
    ],
    [
      'of a connect that fails inside the server',
      `/connect?userArn=${ann}&sessionId=1`,
      { admit: () => Promise.reject(new Error('the disk is gone')) },
      'refused',
    ],
  ]
  for (const [name, target, parts, expected] of cases) {
    test(name, async (t) => {
      const learned: string[] = []
      const { port } = await startSessionServer(t, {
        onVerified: () => void learned.push('verified'),
        onRefused: () => void learned.push('refused'),
        ...parts,
      })
      // It never answers a close frame.
      const socket = connectTcp(port, '127.0.0.1')
      t.after(() => socket.destroy())
      const key = 'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='
      socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n${key}\r\n\r\n`)
      await until(() => learned.length > 0)
      assert.deepEqual(learned, [expected])
    })
  }

  test('of a connect that takes too long', async (t) => {
    let refused = 0
    const { port, clock } = await startSessionServer(t, {
      admit: () => new Promise(() => {}),
      onRefused: () => {
        refused += 1
      },
    })
    await once(connect({ port, userArn: ann }).webSocket, 'open')
    assert.equal(refused, 0)
    clock.advance(10_000)
    assert.equal(refused, 1)
  })
})

suite('a session', () => {
  test('hears the channels of its user, and so do all sessions of this user', async (t) => {
    const sessionServer = await startSessionServer(t)
    const { port, channelLog } = sessionServer
    channelLog.open(channelArn, [ann])
    const sessions = await Promise.all(['1', '2'].map((sessionId) => start({ port, userArn: ann, sessionId })))
    const stranger = await start({ port, userArn: bob })
    sessionServer.publish(channelArn, 'CREATE_CHANNEL_MESSAGE', { Content: 'Grüße 👋' })
    sessionServer.publish(channelArn, 'DELETE_CHANNEL_MESSAGE')
    const created = { eventType: 'CREATE_CHANNEL_MESSAGE', messageType: 'STANDARD', payload: { Content: 'Grüße 👋' } }
    for (const session of sessions) {
      assert.deepEqual(await session.next(), created)
      assert.equal((await session.next()).eventType, 'DELETE_CHANNEL_MESSAGE')
    }
    assert.equal(stranger.webSocket.readyState, stranger.webSocket.OPEN)
    stranger.webSocket.close()
    await assert.rejects(stranger.next(), /closed before its next frame/)
  })

  test('leaves nothing behind when it goes', async (t) => {
    const { port, channelLog, hub, endpoint, clock } = await startSessionServer(t)
    channelLog.open(channelArn, [ann])
    const clients = await Promise.all(['1', '2'].map((sessionId) => start({ port, userArn: ann, sessionId })))
    assert.deepEqual(hub.size, { users: 1, channels: 1 })
    clients[0]?.webSocket.close()
    clients[1]?.webSocket.terminate()
    await until(() => endpoint.size.sockets === 0)
    assert.equal(endpoint.size.sessions, 0)
    assert.deepEqual(hub.size, { users: 0, channels: 0 })
    assert.equal(clock.nextAlarmMs, undefined)
  })

  test('of a user who has ten closes the oldest with 4003', async (t) => {
    const { port, hub } = await startSessionServer(t)
    const clients: SessionClient[] = []
    for (let number = 1; number <= 10; number += 1) {
      clients.push(await start({ port, userArn: ann, sessionId: String(number) }))
    }
    await start({ port, userArn: ann, sessionId: '11' })
    assert.deepEqual(await clients[0]?.closed, {
      code: 4003,
      reason: 'The user has a newer session, and may have 10 at a time',
    })
    const sessionIds = hub.sessionsOf(ann).map(({ sessionId }) => sessionId)
    assert.deepEqual(sessionIds, ['2', '3', '4', '5', '6', '7', '8', '9', '10', '11'])
  })

  test('with the sessionId of an older one of the same user takes its place, which is closed with 4002', async (t) => {
    const { port, hub } = await startSessionServer(t)
    const [older, other] = [await start({ port, userArn: ann }), await start({ port, userArn: bob })]
    await start({ port, userArn: ann })
    assert.deepEqual(await older.closed, { code: 4002, reason: 'This sessionId has connected again' })
    assert.equal(hub.sessionsOf(ann).length, 1)
    assert.equal(other.webSocket.readyState, other.webSocket.OPEN)
  })

  test('that is replaced before its memberships are read is never established', async (t) => {
    const sessionServer = await startSessionServer(t)
    const { port, hub, endpoint } = sessionServer
    const reads: PromiseWithResolvers<void>[] = []
    sessionServer.channelLog.open(channelArn, [ann])
    sessionServer.channelLog.before = () => {
      reads.push(Promise.withResolvers())
      return reads.at(-1)!.promise
    }
    const older = connect({ port, userArn: ann })
    await until(() => reads.length === 1)
    const newer = connect({ port, userArn: ann })
    assert.equal((await older.closed).code, 4002)
    sessionServer.channelLog.before = async () => {}
    for (const read of reads) read.resolve()
    assert.equal((await newer.next()).eventType, 'SESSION_ESTABLISHED')
    await assert.rejects(older.next(), /closed before its next frame/)
    assert.equal(endpoint.size.sessions, 1)
    assert.deepEqual(hub.size, { users: 1, channels: 1 })
  })

  test('is not disturbed by what it is sent, up to 4096 bytes; more closes it with 1009', async (t) => {
    const sessionServer = await startSessionServer(t)
    sessionServer.channelLog.open(channelArn, [ann])
    const client = await start({ port: sessionServer.port, userArn: ann })
    client.webSocket.send('x'.repeat(4096))
    client.webSocket.ping()
    await once(client.webSocket, 'pong')
    sessionServer.publish(channelArn, 'E')
    assert.equal((await client.next()).eventType, 'E')
    client.webSocket.send('x'.repeat(4097))
    assert.deepEqual(await client.closed, { code: 1009, reason: 'Sessions only receive: send nothing' })
  })

  test('that sends garbage or breaks off does not disturb the others', async (t) => {
    const sessionServer = await startSessionServer(t)
    sessionServer.channelLog.open(channelArn, [bob])
    const { port, endpoint } = sessionServer
    const client = await start({ port, userArn: bob })
    const garbage = connectTcp(port, '127.0.0.1', () => garbage.write(upgradeOf(ann, '1') + '\xff'.repeat(100)))
    const broken = connectTcp(port, '127.0.0.1', () => broken.write(upgradeOf(ann, '2')))
    await once(broken, 'data')
    broken.resetAndDestroy()
    await once(garbage.resume(), 'close')
    await until(() => endpoint.size.sockets === 1)
    sessionServer.publish(channelArn, 'E')
    assert.equal((await client.next()).eventType, 'E')
  })

  test('whose client does not answer the close frame is cut off', async (t) => {
    const { port, endpoint } = await startSessionServer(t, { limits: { closeMsMax: 10 } })
    const peer = connectTcp(port, '127.0.0.1', () => peer.write(upgradeOf('', '1')))
    await once(peer.resume(), 'close')
    await until(() => endpoint.size.sockets === 0)
  })
})

suite('a shutdown', () => {
  const restarting = { code: 1012, reason: 'The server is restarting, connect again' }

  test('closes all sessions with 1012, and waits for them', async (t) => {
    const { endpoint, hub, port, clock } = await startSessionServer(t)
    const clients = await Promise.all([ann, bob].map((userArn) => start({ port, userArn })))
    await endpoint.close()
    await endpoint.close()
    assert.deepEqual(endpoint.size, { sessions: 0, sockets: 0 })
    assert.deepEqual(hub.size, { users: 0, channels: 0 })
    assert.equal(clock.nextAlarmMs, undefined)
    assert.deepEqual(await Promise.all(clients.map(({ closed }) => closed)), [restarting, restarting])
  })

  test('answers upgrades with 503', async (t) => {
    const { endpoint, port } = await startSessionServer(t)
    await endpoint.close()
    const answer = await refused(`ws://127.0.0.1:${port}/connect?userArn=${ann}&sessionId=1`)
    assert.equal(answer.status, 503)
    assert.equal(answer.headers['retry-after'], '1')
  })

  test('lets a session that is opening be established first, since its client would wait for that for ever', async (t) => {
    const admission = Promise.withResolvers<{ admitted: true; userId: number }>()
    const { endpoint, port } = await startSessionServer(t, { admit: () => admission.promise })
    const client = connect({ port, userArn: ann })
    await once(client.webSocket, 'open')
    const closed = endpoint.close()
    admission.resolve({ admitted: true, userId: 1 })
    assert.equal((await client.next()).eventType, 'SESSION_ESTABLISHED')
    assert.deepEqual(await client.closed, restarting)
    await closed
  })

  test('cuts off after a second who does not answer', async (t) => {
    const { endpoint, port, hub, clock } = await startSessionServer(t)
    const peer = connectTcp(port, '127.0.0.1', () => peer.write(upgradeOf(ann, '1')))
    await until(() => hub.size.users === 1)
    const closed = endpoint.close()
    clock.advance(999)
    assert.equal(endpoint.size.sockets, 1)
    clock.advance(1)
    await closed
    await once(peer.resume(), 'close')
  })
})

const upgradeOf = (userArn: string, sessionId: string) =>
  `GET /connect?userArn=${userArn}&sessionId=${sessionId} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n` +
  'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'

async function refused(address: string) {
  const { webSocket } = new SessionClient(address)
  webSocket.on('error', () => {})
  const [, response] = (await once(webSocket, 'unexpected-response')) as [unknown, IncomingMessage]
  const body = JSON.parse((await response.toArray()).join(''))
  return { status: response.statusCode, headers: response.headers, body }
}

async function rawAnswer(port: number, request: string): Promise<string> {
  const peer = connectTcp(port, '127.0.0.1', () => peer.write(request))
  return (await peer.toArray()).join('')
}

suite('the metrics', () => {
  test('count frames of sessions that are there and of those that have gone', async (t) => {
    const server = await startSessionServer(t)
    server.channelLog.open(channelArn, [ann, bob])
    const [one, other] = [
      await start({ port: server.port, userArn: ann }),
      await start({ port: server.port, userArn: bob }),
    ]
    server.publish(channelArn, 'CREATE_CHANNEL_MESSAGE')
    await Promise.all([one.next(), other.next()])
    assert.equal(server.endpoint.deliveries, 4)
    one.webSocket.close()
    await until(() => server.endpoint.size.sessions === 1)
    assert.equal(server.endpoint.deliveries, 4)
  })

  test('count a socket that was cut off by the code it was closed with, and refusals by theirs', async (t) => {
    const metrics = new Metrics()
    const server = await startSessionServer(t, { metrics })
    const { port, endpoint, clock } = server
    const client = await start({ port, userArn: ann })
    client.webSocket.pause()
    const closed = endpoint.close()
    assert.equal((await refused(`ws://127.0.0.1:${port}/connect?userArn=${bob}&sessionId=1`)).status, 503)
    assert.equal((await refused(`ws://127.0.0.1:${port}/elsewhere`)).status, 404)
    clock.advance(1_000)
    await closed
    await until(() => endpoint.size.sockets === 0)
    const text = await metrics.text()
    for (const line of [
      'carillon_session_closes_total{code="1012"} 1',
      'carillon_session_refusals_total{code="503"} 1',
      'carillon_session_refusals_total{code="404"} 1',
    ]) {
      assert.ok(text.includes(`${line}\n`), line)
    }
  })
})
