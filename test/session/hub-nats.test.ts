import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { eventKinds } from '../../src/api/events/index.ts'
import type { Bus } from '../../src/bus/bus.ts'
import { connectNatsBus } from '../../src/bus/nats.ts'
import { publishTo } from '../../src/events/publisher.ts'
import { StoredChannelLog } from '../../src/events/stored-channel-log.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { Hub } from '../../src/session/hub.ts'
import type { ChannelEvent } from '../../src/store/channel-event.ts'
import type { Store } from '../../src/store/store.ts'
import { startNatsServer, withoutNatsServer } from '../support/nats-server.ts'
import {
  ana,
  ben,
  channel,
  insertUser,
  lobby,
  membershipOf,
  numberOf,
  openChannel,
  plainMessage,
  user,
} from '../support/rows.ts'
import { createStoreFile } from '../support/store-file.ts'
import { until } from '../support/until.ts'
import { Listening } from './listening.ts'

const skip = withoutNatsServer

class Node {
  readonly bus: Bus
  readonly hub: Hub<Listening>
  readonly publish: (events: readonly ChannelEvent[]) => void

  constructor(bus: Bus, store: Store) {
    this.bus = bus
    this.publish = publishTo(bus, eventKinds)
    const channelLog = new StoredChannelLog(store.read, eventKinds)
    this.hub = new Hub({ bus, channelLog, clock: systemClock, log: silentLog })
  }

  async session(userArn: string): Promise<Listening> {
    const session = new Listening(userArn)
    await this.hub.register(session)
    return session
  }
}

/** Two nodes on one store. What is committed is published by the node whose turn it is. */
async function start(context: TestContext) {
  const server = await startNatsServer(context)
  const store = await (await createStoreFile(context)).open()
  await openChannel(store)
  const nodes: Node[] = []
  for (const nodeName of ['one', 'two']) {
    const nats = { servers: [server.url] }
    const bus = await connectNatsBus({ nats, prefix: 'test', nodeName, clock: systemClock, log: silentLog })
    const node = new Node(bus, store)
    nodes.push(node)
    context.after(async () => {
      node.hub.close()
      await bus.close()
    })
  }
  const [one, two] = nodes as [Node, Node]
  let committer = one
  store.onCommit(({ events }) => committer.publish(events))
  const say = (text: string, on: Node, channel_arn = lobby) => {
    committer = on
    return store.commit(plainMessage({ channel_arn, content: JSON.stringify(text) }))
  }
  const connected = (expected: boolean) => until(() => nodes.every(({ bus }) => bus.connected === expected))
  return { server, store, one, two, say, connected }
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => `${index + 1}`)

test('two nodes: what either commits is heard on both, in the order of the log', { skip }, async (context) => {
  const { one, two, say } = await start(context)
  const sessions = [await one.session(ana), await two.session(ben)]
  for (const text of numbers(200)) await say(text, Number(text) % 3 === 0 ? one : two)
  for (const session of sessions) assert.deepEqual(await session.until('200'), numbers(200))
})

test('two nodes without NATS: each hears its own, and the rest when NATS is back', { skip }, async (context) => {
  const { server, one, two, say, connected } = await start(context)
  const [here, there] = [await one.session(ana), await two.session(ben)]
  await say('1', one)
  await there.until('1')
  await server.kill()
  await connected(false)
  for (const text of numbers(130).slice(1)) await say(text, one)
  assert.deepEqual(here.heard, numbers(130))
  assert.deepEqual(there.heard, ['1'])
  // A session that comes now hears what is committed after that.
  const late = await two.session(ana)
  await say('131', one)
  await server.start()
  assert.deepEqual(await there.until('131'), numbers(131))
  assert.deepEqual(await late.until('131'), ['131'])
})

test('two nodes: NATS comes and goes while both commit, and no session misses anything', { skip }, async (context) => {
  const { server, one, two, say, connected } = await start(context)
  const sessions = [await one.session(ana), await two.session(ben)]
  const nodeOf = (text: string) => (Number(text) % 2 === 0 ? one : two)
  for (const [index, text] of numbers(90).entries()) {
    if (index % 30 === 10) await server.kill()
    if (index % 30 === 20) await server.start()
    await say(text, nodeOf(text))
  }
  await connected(true)
  for (const session of sessions) assert.deepEqual(await session.until('90'), numbers(90))
})

test('two nodes: a join that was committed while NATS was away is heard with all that followed', {
  skip,
}, async (context) => {
  const { server, store, one, two, say, connected } = await start(context)
  const attic = channel('attic')
  await openChannel(store, attic)
  const dee = user('dee')
  const [here, there] = [await one.session(dee), await two.session(dee)]
  await server.kill()
  await connected(false)
  await say('before', one, attic)
  await store.transaction(async (transaction) => {
    const row = membershipOf(attic, dee)
    await insertUser(transaction, dee)
    const joined_seq = await transaction.append({
      channelId: numberOf(attic),
      channelArn: attic,
      eventType: 'CREATE_CHANNEL_MEMBERSHIP',
      audience: { to: 'members' },
      createdAt: 0,
      subject: dee,
      revision: 0,
      about: { ...row, channel_arn: attic, member_arn: dee, member_name: '"Dee"' },
    })
    await transaction.insert('channel_membership', { ...row, joined_seq })
  })
  await say('after', one, attic)
  assert.deepEqual(here.heard, ['CREATE_CHANNEL_MEMBERSHIP', 'after'])
  assert.deepEqual(there.heard, [])
  await server.start()
  assert.deepEqual(await there.until('after'), ['CREATE_CHANNEL_MEMBERSHIP', 'after'])
  await say('last', two, attic)
  for (const session of [here, there]) assert.equal((await session.until('last')).length, 3)
})
