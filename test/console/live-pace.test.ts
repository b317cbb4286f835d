import assert from 'node:assert/strict'
import { once } from 'node:events'
import { suite, type TestContext, test } from 'node:test'
import type { Reader, Store } from '../../src/store/store.ts'
import { aroundStore } from '../support/around-store.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { populate } from '../support/population.ts'
import { startTestServer, testOfSqlite } from '../support/running-server.ts'
import { until } from '../support/until.ts'
import { ConsoleClient } from './console-client.ts'
import { LiveClient } from './live-client.ts'

/** How often the state that consoles see was read. */
let readings = 0
const counting = (read: Reader): Reader => ({
  get: (sql, ...values) => {
    if (sql.includes('failed_run')) readings += 1
    return read.get(sql, ...values)
  },
  all: (sql, ...values) => read.all(sql, ...values),
})

const clock = new ManualClock(Date.now())
const server = await startTestServer({
  clock,
  flags: ['--admin-port', '0'],
  aroundStore: (store: Store) => aroundStore(store, { read: counting(store.read) }),
})
const people = await populate(server)
await people.attachFlow(['first'])
/** The least time between two frames. */
const second = 1_000
const minute = 60_000
/** The first change after that is sent so much later, with those that come with it. */
const gather = 100

async function open(t: TestContext, client: ConsoleClient): Promise<LiveClient> {
  const live = new LiveClient(client)
  t.after(() => live.webSocket.terminate())
  await live.next()
  return live
}

async function signedIn(): Promise<ConsoleClient> {
  const client = new ConsoleClient(server.endpoint.admin ?? assert.fail('there is no admin port'))
  assert.equal((await client.signIn({ token: await server.consoleToken() })).status, 200)
  return client
}

/** How many frames have arrived: what the server has sent before its pong is here. */
async function framesOf({ webSocket }: LiveClient, act: () => Promise<unknown> | unknown): Promise<number> {
  let frames = 0
  webSocket.on('message', () => {
    frames += 1
  })
  await act()
  webSocket.ping()
  await once(webSocket, 'pong')
  return frames
}

suite('the frames of the live WebSocket', () => {
  test('come at most once a second: what changes meanwhile is in the next one', async (t) => {
    const live = await open(t, await signedIn())
    await people.sendHeld()
    clock.advance(gather)
    assert.equal((await live.next()).messages.length, 1)
    const early = await framesOf(live, async () => {
      for (let n = 0; n < 3; n += 1) await people.sendHeld()
      clock.advance(second - 1)
    })
    assert.equal(early, 0)
    clock.advance(1)
    assert.equal((await live.next()).messages.length, 3)
  })

  test('are built once for all consoles of the same scope', async (t) => {
    const clients = [await signedIn(), await signedIn()]
    const pages = await Promise.all(clients.flatMap((client) => [open(t, client), open(t, client)]))
    clock.advance(second)
    const before = readings
    await people.sendHeld()
    clock.advance(second)
    const frames = await Promise.all(pages.map((page) => page.until(({ messages }) => messages.length > 0)))
    assert.equal(new Set(frames.map((frame) => JSON.stringify(frame))).size, 1)
    assert.ok(readings - before <= 2, `the state was read ${readings - before} times for four pages`)
  })

  // Several nodes poll once a second while a console is open.
  testOfSqlite('are not built while nothing changes, or no console is open', async () => {
    const live = new LiveClient(await signedIn())
    await live.next()
    clock.advance(2 * second)
    const before = readings
    const idle = await framesOf(live, () => {
      for (let n = 0; n < 30; n += 1) clock.advance(second)
    })
    assert.deepEqual([idle, readings - before], [0, 0])
    live.webSocket.close()
    await live.closed
    // The server notices the close soon after the client. An open console reads the state once a minute.
    await until(() => {
      const earlier = readings
      clock.advance(2 * minute)
      return readings === earlier
    })
    const closed = readings
    await people.sendHeld()
    clock.advance(2 * second)
    assert.equal(readings, closed)
  })
})
