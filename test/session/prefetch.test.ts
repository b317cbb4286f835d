import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { suite, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { connect, start } from './session-client.ts'
import { channelArnOf, type SessionServer, startSessionServer, userArnOf } from './session-server.ts'

const ann = userArnOf('ann')
const bob = userArnOf('bob')
const channelArn = channelArnOf('c')

suite('a prefetch', () => {
  const query = { 'prefetch-on': 'connect', 'prefetch-sort-by': 'unread' }

  test('follows SESSION_ESTABLISHED, if it is asked for', async (t) => {
    const asked: unknown[] = []
    const { port } = await startSessionServer(t, {
      async *prefetch(userArn, sortBy) {
        asked.push({ userArn, sortBy })
        for (let number = 0; number < 50; number += 1) yield { Channel: { Name: `c${number}` } }
      },
    })
    const client = await start({ port, userArn: ann, query })
    for (let number = 0; number < 50; number += 1) {
      assert.deepEqual(await client.next(), {
        eventType: 'CHANNEL_DETAILS',
        messageType: 'SYSTEM',
        payload: { Channel: { Name: `c${number}` } },
      })
    }
    await start({ port, userArn: bob })
    assert.deepEqual(asked, [{ userArn: ann, sortBy: 'unread' }])
  })

  test('does not hold up events, and may take its time', async (t) => {
    const read = Promise.withResolvers<void>()
    const sessionServer = await startSessionServer(t, {
      async *prefetch() {
        yield { Channel: { Name: 'first' } }
        await read.promise
        yield { Channel: { Name: 'second' } }
      },
    })
    sessionServer.channelLog.open(channelArn, [ann])
    const client = await start({ port: sessionServer.port, userArn: ann, query })
    assert.equal((await client.next()).eventType, 'CHANNEL_DETAILS')
    sessionServer.publish(channelArn, 'E')
    assert.equal((await client.next()).eventType, 'E')
    sessionServer.clock.advance(10_000)
    read.resolve()
    assert.equal((await client.next()).eventType, 'CHANNEL_DETAILS')
  })

  test('lets others have their turn, even if its reads wait for nothing', async (t) => {
    let turn = 0
    const turns: number[] = []
    const { port } = await startSessionServer(t, {
      async *prefetch() {
        for (let number = 0; number < 3; number += 1) {
          turns.push(turn)
          void setImmediate().then(() => (turn += 1))
          yield {}
        }
      },
    })
    const client = await start({ port, userArn: ann, query })
    await client.eventTypes(3)
    assert.deepEqual(turns, [0, 1, 2])
  })

  test('stops when the session ends', async (t) => {
    const stopped = Promise.withResolvers<void>()
    const { port } = await startSessionServer(t, {
      async *prefetch() {
        try {
          for (;;) yield { Name: 'x'.repeat(65_536) }
        } finally {
          stopped.resolve()
        }
      },
    })
    const client = await start({ port, userArn: ann, query })
    await client.next()
    client.webSocket.terminate()
    await stopped.promise
  })

  test('that fails closes the session with 1011, so that its client tries again', async (t) => {
    const prefetch = () => {
      throw new Error('the disk is gone')
    }
    const { port } = await startSessionServer(t, { prefetch })
    const client = await start({ port, userArn: ann, query })
    assert.equal((await client.closed).code, 1011)
  })
})

suite('compression', () => {
  const big = { Name: 'carillon '.repeat(10_000) }
  const query = { 'prefetch-on': 'connect' }
  const parts = {
    async *prefetch() {
      yield big
    },
  }

  test('is for what is for one session alone', async (t) => {
    const sessionServer = await startSessionServer(t, parts)
    sessionServer.channelLog.open(channelArn, [ann])
    const { client, received } = await startMeasured(sessionServer, {})
    assert.equal(client.webSocket.extensions, 'permessage-deflate')
    assert.deepEqual((await client.next()).payload, big)
    assert.ok(received() < 2000)
    sessionServer.publish(channelArn, 'E', big)
    assert.deepEqual((await client.next()).payload, big)
    assert.ok(received() > 90_000)
  })

  test('is not needed', async (t) => {
    const sessionServer = await startSessionServer(t, parts)
    const { client, received } = await startMeasured(sessionServer, { perMessageDeflate: false })
    assert.equal(client.webSocket.extensions, '')
    assert.deepEqual((await client.next()).payload, big)
    assert.ok(received() > 90_000)
  })

  /** The answer counts the bytes that have come in. */
  async function startMeasured({ port }: SessionServer, options: object) {
    const client = connect({ port, userArn: ann, query, options })
    const [response] = (await once(client.webSocket, 'upgrade')) as [IncomingMessage]
    assert.equal((await client.next()).eventType, 'SESSION_ESTABLISHED')
    return { client, received: () => response.socket.bytesRead }
  }
})
