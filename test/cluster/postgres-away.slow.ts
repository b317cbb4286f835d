import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import type { ServiceUnavailableException } from '@aws-sdk/client-chime-sdk-messaging'
import { closesInTime } from '../../src/cli/shutdown.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { natsUrl, withoutNats } from '../support/nats-server.ts'
import { noPostgresServer, PostgresServer } from '../support/postgres-server.ts'
import { arrived, type ClusterServer, ClusterStage, heard } from './cluster-server.ts'
import { Lobby } from './lobby.ts'
import { StallingRelay } from './stalling-relay.ts'

const skip = noPostgresServer || withoutNats

/** Two nodes on a PostgreSQL of the test's own, which it may stop. */
async function set(context: TestContext) {
  const postgres = await PostgresServer.start()
  const stage = await ClusterStage.set(context, postgres.url)
  context.after(() => postgres.stop())
  const [a, b] = await stage.startTwo(await natsUrl(context))
  return { postgres, a, b, lobby: await Lobby.open(a), processors: stage.processors }
}

/** The caller is told to come back, and when. */
async function isPutOff(call: Promise<unknown>): Promise<void> {
  await assert.rejects(call, ({ name, $response }: ServiceUnavailableException) => {
    assert.equal(name, 'ServiceUnavailableException')
    assert.deepEqual([$response?.statusCode, $response?.headers['retry-after']], [503, '1'])
    return true
  })
}

/** The test's timeout is the limit. */
async function becomesReady(node: ClusterServer): Promise<void> {
  while ((await node.readiness()).status !== 200);
}

suite('while PostgreSQL is away', { skip }, () => {
  test('calls are put off, sessions stay, and when it is back all goes on by itself', async (context) => {
    const { postgres, a, b, lobby, processors } = await set(context)
    await lobby.attachFlow(a, ['first'])
    const [sender, other] = [await a.session(lobby.member), await b.session(lobby.owner)]
    const held = await processors.next(await lobby.send(a, 'held'))

    await postgres.pause('immediate')
    for (const node of [a, b]) {
      await isPutOff(lobby.send(node, 'refused'))
      await isPutOff(lobby.allow(node, held))
      await isPutOff(lobby.history(node))
      await isPutOff(node.identity.createAppInstance({ Name: 'refused' }))
      const { status, checks } = await node.readiness()
      assert.deepEqual([status, checks.server, checks.bus], [503, 'ok', 'ok'])
      assert.match(checks.store!, /^the database is not there \(\w+\)$/)
    }
    for (const session of [sender, other]) await arrived(session)

    await postgres.resume()
    for (const node of [a, b]) await becomesReady(node)
    await lobby.allow(b, held)
    const after = await processors.next(await lobby.send(b, 'after'))
    await lobby.allow(a, after)
    assert.deepEqual(await heard(sender, 4), [
      'PENDING_CREATE_CHANNEL_MESSAGE held',
      'CREATE_CHANNEL_MESSAGE held',
      'PENDING_CREATE_CHANNEL_MESSAGE after',
      'CREATE_CHANNEL_MESSAGE after',
    ])
    assert.deepEqual(await heard(other, 2), ['CREATE_CHANNEL_MESSAGE held', 'CREATE_CHANNEL_MESSAGE after'])
    for (const node of [a, b]) assert.deepEqual(await lobby.history(node), ['held', 'after'])
  })

  test('what was under way is put off or there, and sessions hear each message that is there once', async (context) => {
    const { postgres, a, b, lobby } = await set(context)
    const session = await b.session(lobby.owner)
    const acknowledged: string[] = []
    const sendUntilRefused = async (name: string) => {
      for (let count = 1; ; count += 1) {
        const content = `${name} ${count}`
        const outcome = lobby.send(count % 2 === 0 ? a : b, content)
        if (await outcome.then(Boolean, () => false)) acknowledged.push(content)
        else return isPutOff(outcome)
        if (acknowledged.length === 20) stopping = postgres.pause('immediate')
      }
    }
    let stopping: Promise<void> | undefined
    await Promise.all(['red', 'green', 'blue', 'black'].map(sendUntilRefused))
    assert.ok(stopping)
    await stopping
    await postgres.resume()
    for (const node of [a, b]) await becomesReady(node)
    await lobby.send(a, 'last')
    const stored = await lobby.history(b)
    assert.deepEqual(
      acknowledged.filter((content) => !stored.includes(content)),
      [],
      'what was acknowledged is there',
    )
    const told = await heard(session, stored.length)
    assert.deepEqual(
      told,
      stored.map((content) => `CREATE_CHANNEL_MESSAGE ${content}`),
    )
  })
})

suite('a node stops in time while PostgreSQL', { skip }, () => {
  /** With a session, with a message that a flow holds and with a function at work. */
  async function setAtWork(context: TestContext, databaseUrl: string) {
    const stage = await ClusterStage.set(context, databaseUrl)
    const node = await stage.start(await natsUrl(context))
    const lobby = await Lobby.open(node)
    await lobby.attachFlow(node, ['first'])
    const session = await node.session(lobby.member)
    context.after(stage.processors.hold())
    await stage.processors.next(await lobby.send(node, 'held'))
    return { node, lobby, session }
  }

  test('is stopped', async (context) => {
    const postgres = await PostgresServer.start({ durable: false })
    const { node, lobby, session } = await setAtWork(context, postgres.url)
    context.after(() => postgres.stop())
    await postgres.pause('immediate')
    await isPutOff(lobby.send(node, 'refused'))
    assert.equal(await closesInTime(() => node.close(), systemClock), true)
    assert.equal((await session.closed).code, 1012)
  })

  test('answers nothing', async (context) => {
    const postgres = await PostgresServer.start({ durable: false })
    const relay = await StallingRelay.open(context, postgres.port)
    const url = new URL(postgres.url)
    url.port = String(relay.port)
    const { node, lobby, session } = await setAtWork(context, url.href)
    context.after(() => postgres.stop())
    relay.stall()
    const refused = assert.rejects(lobby.send(node, 'not taken'))
    assert.equal((await node.readiness()).status, 503)
    assert.equal(await closesInTime(() => node.close(), systemClock), true)
    assert.equal((await session.closed).code, 1012)
    await refused
  })
})
