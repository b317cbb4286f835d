import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { closesInTime } from '../../src/cli/shutdown.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { startNatsServer, withoutNatsServer } from '../support/nats-server.ts'
import { dropDatabase, freshDatabase, noPostgres } from '../support/postgres-server.ts'
import { arrived, type ClusterServer, ClusterStage, heard } from './cluster-server.ts'
import { Lobby } from './lobby.ts'

const skip = noPostgres || withoutNatsServer

/** Two nodes on a NATS of the test's own, which it may kill. */
async function set(context: TestContext) {
  const databaseUrl = await freshDatabase()
  const stage = await ClusterStage.set(context, databaseUrl)
  context.after(() => dropDatabase(databaseUrl))
  const nats = await startNatsServer(context)
  const [a, b] = await stage.startTwo(nats.url)
  return { nats, a, b, lobby: await Lobby.open(a), processors: stage.processors }
}

/** What the node tells of the bus, when that is so; the test's timeout is the limit. It is ready all the while. */
async function tellsOfBus(node: ClusterServer, expected: string): Promise<void> {
  for (;;) {
    const { status, checks } = await node.readiness()
    assert.equal(status, 200)
    if (checks.bus === expected) return
  }
}

const created = (...contents: string[]) => contents.map((content) => `CREATE_CHANNEL_MESSAGE ${content}`)

suite('while NATS is away', { skip }, () => {
  test('calls go on, and sessions elsewhere hear all of it when it is back, in order and once', async (context) => {
    const { nats, a, b, lobby, processors } = await set(context)
    const [near, far] = [await a.session(lobby.owner), await b.session(lobby.owner)]
    let frames = 0
    far.webSocket.on('message', () => {
      frames += 1
    })
    await lobby.send(a, 'before')
    assert.deepEqual(await heard(far, 1), created('before'))

    await nats.kill()
    for (const node of [a, b]) await tellsOfBus(node, 'not connected to the other nodes')
    await lobby.send(a, 'one')
    await lobby.attachFlow(a, ['first'])
    const held = await processors.next(await lobby.send(a, 'two'))
    await lobby.allow(a, held, { Content: 'Two' })
    const open = await processors.next(await lobby.send(a, 'three'))
    assert.deepEqual(await heard(near, 3), created('before', 'one', 'Two'))
    await arrived(far)
    assert.equal(frames, 1, 'the other node has not heard of it')

    await nats.start()
    for (const node of [a, b]) await tellsOfBus(node, 'ok')
    await lobby.allow(b, open)
    assert.deepEqual(await heard(far, 3), created('one', 'Two', 'three'))
    const last = await processors.next(await lobby.send(b, 'last'))
    await lobby.allow(a, last)
    for (const session of [near, far]) {
      const expected = session === near ? created('three', 'last') : created('last')
      assert.deepEqual(await heard(session, expected.length), expected)
      await arrived(session)
    }
    assert.equal(frames, 5)
  })

  test('who joined and which channel is gone is known when it is back', async (context) => {
    const { nats, a, b, lobby } = await set(context)
    const other = await Lobby.open(a)
    const [stranger, owner] = [await b.session(lobby.stranger), await b.session(other.owner)]
    await nats.kill()
    for (const node of [a, b]) await tellsOfBus(node, 'not connected to the other nodes')
    const membership = { MemberArn: lobby.stranger, Type: 'DEFAULT' } as const
    await a.messaging.createChannelMembership({ ...lobby.place(lobby.owner), ...membership })
    await other.send(a, 'gone')
    await a.messaging.deleteChannel(other.place(other.owner))
    await nats.start()
    // The message's text may be purged by now.
    const [message, deletion] = await heard(owner, 2)
    assert.match(message ?? '', /^CREATE_CHANNEL_MESSAGE/)
    assert.equal(deletion, 'DELETE_CHANNEL')
    for (const node of [a, b]) await tellsOfBus(node, 'ok')
    assert.deepEqual(await heard(stranger, 1), ['CREATE_CHANNEL_MEMBERSHIP'])
    await lobby.send(a, 'welcome')
    assert.deepEqual(await heard(stranger, 1), created('welcome'))
  })

  test('a session hears what its node missed as soon as that has something later to tell', async (context) => {
    const { nats, a, b, lobby } = await set(context)
    const session = await b.session(lobby.owner)
    await nats.kill()
    for (const node of [a, b]) await tellsOfBus(node, 'not connected to the other nodes')
    for (const content of ['one', 'two', 'three']) await lobby.send(a, content)
    await lobby.send(b, 'four')
    assert.deepEqual(await heard(session, 4), created('one', 'two', 'three', 'four'))
  })

  for (const [how, leave] of [
    ['is not there', 'kill'],
    ['answers nothing', 'freeze'],
  ] as const) {
    test(`a node stops in time, also when NATS ${how}`, async (context) => {
      const { nats, a, b, lobby } = await set(context)
      const session = await a.session(lobby.member)
      await nats[leave]()
      await lobby.send(a, 'still taken')
      assert.deepEqual(await heard(session, 1), created('still taken'))
      for (const node of [a, b]) assert.equal(await closesInTime(() => node.close(), systemClock), true)
      assert.equal((await session.closed).code, 1012)
    })
  }
})
