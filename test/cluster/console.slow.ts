import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { ConsoleClient } from '../console/console-client.ts'
import { LiveClient } from '../console/live-client.ts'
import { natsUrl, withoutNats } from '../support/nats-server.ts'
import { dropDatabase, freshDatabase, noPostgres } from '../support/postgres-server.ts'
import { type ClusterServer, ClusterStage } from './cluster-server.ts'
import { Lobby } from './lobby.ts'

const skip = noPostgres || withoutNats

async function set(context: TestContext) {
  const databaseUrl = await freshDatabase()
  const stage = await ClusterStage.set(context, databaseUrl)
  context.after(() => dropDatabase(databaseUrl))
  const [a, b] = await stage.startTwo(await natsUrl(context))
  return { a, b, stage }
}

async function signIn(node: ClusterServer, key: object): Promise<ConsoleClient> {
  const client = new ConsoleClient(node.endpoint.admin ?? assert.fail('the node has no admin port'))
  const { status, text } = await client.signIn(key)
  assert.equal(status, 200, text)
  return client
}

/** The same person at another node. Behind a balancer the port, which is in the cookie's name, would be the same. */
function atNode(node: ClusterServer, { cookie }: ConsoleClient): ConsoleClient {
  const client = new ConsoleClient(node.endpoint.admin ?? assert.fail('the node has no admin port'))
  client.cookie = cookie?.replace(/-\d+=/, `-${new URL(client.url).port}=`)
  return client
}

async function openLive(context: TestContext, client: ConsoleClient): Promise<LiveClient> {
  const live = new LiveClient(client)
  context.after(() => live.webSocket.terminate())
  await live.next()
  return live
}

suite('the console on two nodes', { skip }, () => {
  test('knows a session on both, and ends it on both: at the sign-out, and with its key', async (context) => {
    const { a, b } = await set(context)
    const root = await signIn(a, a.credentials)
    const created = await root.write('/carillon/v1/keys', { Kind: 'OPERATOR' })
    const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey } = created.json
    const [first, second] = [
      await signIn(a, { accessKeyId, secretAccessKey }),
      await signIn(a, { accessKeyId, secretAccessKey }),
    ]
    const [firstAtB, secondAtB] = [atNode(b, first), atNode(b, second)]
    assert.equal((await firstAtB.read('/carillon/v1/pending')).status, 200)
    const pages = [await openLive(context, firstAtB), await openLive(context, secondAtB)]
    await first.write('/console/sign-out')
    assert.equal((await pages[0]!.closed).code, 4401)
    assert.equal((await firstAtB.read('/carillon/v1/pending')).status, 401)
    assert.equal((await secondAtB.read('/carillon/v1/pending')).status, 200)
    await root.write(`/carillon/v1/keys/${accessKeyId}?operation=suspend`)
    assert.equal((await pages[1]!.closed).code, 4401)
    assert.equal((await secondAtB.read('/carillon/v1/pending')).status, 401)
  })

  test('shows what is held by messages of the other node', async (context) => {
    const { a, b, stage } = await set(context)
    const lobby = await Lobby.open(a)
    await lobby.attachFlow(a, ['first'])
    const live = await openLive(context, await signIn(b, b.credentials))
    const hello = await lobby.send(a, 'hello')
    const { processors } = await live.until(({ pending }) => pending.total === 1)
    assert.equal(processors.find(({ FunctionName }) => FunctionName === 'first')?.Held, 1)
    await lobby.allow(a, await stage.processors.next(hello))
    await live.until(({ pending }) => pending.total === 0)
  })

  test('accepts a link once, whichever node it is used at', async (context) => {
    const { a, b } = await set(context)
    const token = await a.consoleToken()
    await signIn(b, { token })
    const again = new ConsoleClient(a.endpoint.admin ?? assert.fail('the node has no admin port'))
    assert.equal((await again.signIn({ token })).status, 401)
  })
})
