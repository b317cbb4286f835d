import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventKinds } from '../../src/api/events/index.ts'
import type { Bus, Envelope } from '../../src/bus/bus.ts'
import { memoryBus } from '../../src/bus/memory.ts'
import { envelope, requireKind } from '../../src/events/publisher.ts'
import { StoredChannelLog } from '../../src/events/stored-channel-log.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { Hub } from '../../src/session/hub.ts'
import { type Population, populate } from '../support/population.ts'
import { startTestServer } from '../support/running-server.ts'
import { SteeredStore } from '../support/steered-store.ts'
import { Listening } from './listening.ts'
import { WireBus } from './wire-bus.ts'

/*
 * What is heard by those who leave: on the node that takes the call, and on another one. Both are hubs of their own on the
 * server's store, and are brought what it commits as nodes are.
 */

const store = new SteeredStore()
const server = await startTestServer({ aroundStore: store.around })
const { messaging } = server

/** A hub, and what stands between it and the commits. */
class Node {
  readonly hub: Hub<Listening>
  readonly #bus: Bus
  #isAway = false

  constructor(bus: Bus) {
    this.#bus = bus
    const channelLog = new StoredChannelLog(store.read, eventKinds)
    this.hub = new Hub({ bus, channelLog, clock: systemClock, log: silentLog })
  }

  bring(envelopes: readonly Envelope[]): void {
    if (!this.#isAway) this.#bus.publish(envelopes)
  }

  /** What is committed meanwhile is lost, and nothing says so. */
  async lose(work: () => Promise<unknown>): Promise<void> {
    this.#isAway = true
    await work()
    this.#isAway = false
  }

  catchUp(): void {
    this.#bus.announceCatchUp()
  }

  async session(userArn: string): Promise<Listening> {
    const session = new Listening(userArn)
    await this.hub.register(session)
    return session
  }
}

const nodes = new Set<Node>()
store.onCommit(({ events }) => {
  const envelopes = events.map((event) => envelope(requireKind(eventKinds, event.eventType), event))
  for (const node of nodes) node.bring(envelopes)
})

type Proof = (people: Population, node: Node) => Promise<void>

function prove(sentence: string, proof: Proof, channel: Parameters<typeof populate>[1] = {}): void {
  for (const [where, createBus] of [
    ['the node that takes the calls', memoryBus],
    ['another node', () => new WireBus()],
  ] as const) {
    test(`${sentence}: on ${where}`, async (context) => {
      const node = new Node(createBus())
      nodes.add(node)
      context.after(() => {
        nodes.delete(node)
        node.hub.close()
      })
      await proof(await populate(server, channel), node)
    })
  }
}

const leave = ({ channelArn: ChannelArn, owner: ChimeBearer }: Population, MemberArn: string) =>
  messaging.deleteChannelMembership({ ChannelArn, ChimeBearer, MemberArn })

const join = ({ channelArn: ChannelArn, owner: ChimeBearer }: Population, MemberArn: string) =>
  messaging.createChannelMembership({ ChannelArn, ChimeBearer, MemberArn, Type: 'DEFAULT' })

const say = (people: Population, Content: string) => people.send({ Content, ChimeBearer: people.owner })

const left = 'DELETE_CHANNEL_MEMBERSHIP'
const joined = 'CREATE_CHANNEL_MEMBERSHIP'

prove('a member hears that it leaves, and no message after that', async (people, node) => {
  const [owner, member] = [await node.session(people.owner), await node.session(people.member)]
  await say(people, 'before')
  await leave(people, people.member)
  await say(people, 'after')
  assert.deepEqual(await owner.until('after'), ['before', left, 'after'])
  assert.deepEqual(member.heard, ['before', left])
  await join(people, people.member)
  await say(people, 'again')
  assert.deepEqual(await member.until('again'), ['before', left, joined, 'again'])
})

prove('a member leaves by itself', async (people, node) => {
  const [owner, member] = [await node.session(people.owner), await node.session(people.member)]
  const { channelArn: ChannelArn } = people
  await messaging.deleteChannelMembership({ ChannelArn, ChimeBearer: people.member, MemberArn: people.member })
  await say(people, 'after')
  assert.deepEqual(await owner.until('after'), [left, 'after'])
  assert.deepEqual(member.heard, [left])
})

prove(
  'leaving and joining again, which a late join of somebody else makes the hub read once more, is heard once',
  async (people, node) => {
    const eve = await node.session(people.stranger)
    await node.lose(() => join(people, people.stranger))
    const [owner, member] = [await node.session(people.owner), await node.session(people.member)]
    await say(people, 'before')
    await leave(people, people.member)
    await say(people, 'between')
    await join(people, people.member)
    await say(people, 'after')
    const all = ['before', left, 'between', joined, 'after']
    assert.deepEqual(await owner.until('after'), all)
    assert.deepEqual(eve.heard, [])
    node.catchUp()
    assert.deepEqual(await eve.until('after'), [joined, ...all])
    await say(people, 'last')
    for (const session of [owner, member, eve]) await session.until('last')
    assert.deepEqual(owner.heard, [...all, 'last'])
    assert.deepEqual(member.heard, ['before', left, joined, 'after', 'last'])
  },
)

prove('a leave that only the log tells of, because the bus was away, is heard', async (people, node) => {
  const [owner, member] = [await node.session(people.owner), await node.session(people.member)]
  await node.lose(async () => {
    await say(people, 'before')
    await leave(people, people.member)
    await say(people, 'after')
  })
  assert.deepEqual(member.heard, [])
  node.catchUp()
  assert.deepEqual(await owner.until('after'), ['before', left, 'after'])
  assert.deepEqual(member.heard, ['before', left])
})

prove('a leave that the log does not tell of any more takes effect all the same', async (people, node) => {
  const [owner, member] = [await node.session(people.owner), await node.session(people.member)]
  await node.lose(() => leave(people, people.member))
  await store.write(`DELETE FROM channel_log WHERE event_type = '${left}'`)
  node.catchUp()
  assert.deepEqual(await member.until(left), [left])
  await say(people, 'after')
  assert.deepEqual(await owner.until('after'), ['after'])
  assert.deepEqual(member.heard, [left])
})

prove('a member who is banned hears that it leaves, and no message after that', async (people, node) => {
  const [owner, member] = [await node.session(people.owner), await node.session(people.member)]
  const { channelArn: ChannelArn, member: MemberArn } = people
  await messaging.createChannelBan({ ChannelArn, MemberArn, ChimeBearer: people.owner })
  await say(people, 'after')
  assert.deepEqual(await owner.until('after'), [left, 'after'])
  assert.deepEqual(member.heard, [left])
})

prove('both sessions of a member hear that it leaves, and nothing after that', async (people, node) => {
  const owner = await node.session(people.owner)
  const sessions = [await node.session(people.member), await node.session(people.member)]
  await leave(people, people.member)
  await say(people, 'after')
  await owner.until('after')
  for (const session of sessions) assert.deepEqual(session.heard, [left])
})

prove('DEFAULT members hear nothing of a HIDDEN member who leaves', async (people, node) => {
  const users = [people.owner, people.member, people.hidden]
  const sessions = await Promise.all(users.map((user) => node.session(user)))
  await leave(people, people.hidden)
  await say(people, 'after')
  await sessions[1]!.until('after')
  assert.deepEqual(
    sessions.map(({ heard }) => heard),
    [[left, 'after'], ['after'], [left]],
  )
})

prove(
  'three of a hundred who are added together are here: each hears that once, and what follows',
  async (people, node) => {
    const { channelArn: ChannelArn, owner: ChimeBearer } = people
    const MemberArns = await Promise.all(Array.from({ length: 100 }, (_, index) => people.createUser(`user-${index}`)))
    const sessions = await Promise.all([0, 50, 99].map((index) => node.session(MemberArns[index]!)))
    await say(people, 'before')
    await messaging.batchCreateChannelMembership({ ChannelArn, ChimeBearer, MemberArns })
    await say(people, 'after')
    for (const session of sessions) {
      assert.deepEqual(await session.until('after'), ['BATCH_CREATE_CHANNEL_MEMBERSHIP', 'after'])
    }
  },
)

prove('a channel that was created again while nothing was heard is another one', async (people, node) => {
  const [former, again] = [await node.session(people.member), await node.session(people.owner)]
  const [AppInstanceArn = '', ChannelId = ''] = people.channelArn.split('/channel/')
  const { channelArn: ChannelArn, owner: ChimeBearer } = people
  const secrets = Array.from({ length: 6 }, (_, index) => `secret-${index}`)
  await node.lose(async () => {
    await messaging.deleteChannel({ ChannelArn, ChimeBearer })
    await messaging.createChannel({ AppInstanceArn, ChannelId, Name: 'again', ChimeBearer })
    for (const secret of secrets) await say(people, secret)
  })
  node.catchUp()
  assert.deepEqual(await again.until('secret-5'), ['DELETE_CHANNEL', joined, ...secrets])
  await former.until('DELETE_CHANNEL')
  await say(people, 'last')
  await again.until('last')
  assert.deepEqual(former.heard, ['DELETE_CHANNEL'])
})

test('a deleted user hears that it leaves its channels, and then its sessions are closed with 4003', async () => {
  const people = await populate(server)
  const other = await people.createChannel()
  const [owner, ...sessions] = await Promise.all(
    [people.owner, people.member, people.member].map((user) => server.session(user)),
  )
  await server.identity.deleteAppInstanceUser({ AppInstanceUserArn: people.member })
  for (const session of sessions) {
    const channels = []
    for (let event = 0; event < 2; event += 1) {
      const { eventType, payload } = await session.next()
      const { ChannelArn, Member } = payload as { ChannelArn: string; Member: { Arn: string } }
      assert.deepEqual([eventType, Member.Arn], [left, people.member])
      channels.push(ChannelArn)
    }
    assert.deepEqual(channels, [people.channelArn, other])
  }
  await say(people, 'after')
  assert.deepEqual(await owner!.eventTypes(3), [left, left, 'CREATE_CHANNEL_MESSAGE'])
  for (const session of sessions) {
    await assert.rejects(session.next(), /closed before its next frame/)
    assert.equal((await session.closed).code, 4003)
  }
})
