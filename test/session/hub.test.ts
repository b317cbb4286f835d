import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import type { Envelope } from '../../src/bus/bus.ts'
import { memoryBus } from '../../src/bus/memory.ts'
import { Hub, type Subscriber } from '../../src/session/hub.ts'

class Listening implements Subscriber {
  readonly userArn: string
  readonly heard: Buffer[] = []

  constructor(userArn: string) {
    this.userArn = userArn
  }

  deliver(frame: Buffer): void {
    this.heard.push(frame)
  }

  get texts(): string[] {
    return this.heard.map(String)
  }
}

const toMembers = (channelArn: string, frame: string, more: Partial<Envelope> = {}): Envelope => {
  return { channelArn, seq: undefined, audience: { to: 'members' }, frame, ...more }
}

function start(memberships: Record<string, string[]> = {}) {
  const bus = memoryBus()
  const hub = new Hub<Listening>({ bus, membershipsOf: async (userArn) => memberships[userArn] ?? [] })
  const register = async (userArn: string) => {
    const session = new Listening(userArn)
    await hub.register(session)
    return session
  }
  return { bus, hub, register }
}

suite('an event', () => {
  test('for members reaches all sessions of all members, and nobody else', async () => {
    const { bus, register } = start({ ann: ['C'], bob: ['C', 'D'], eve: ['D'] })
    const sessions = await Promise.all(['ann', 'ann', 'bob', 'eve'].map(register))
    bus.publish([toMembers('C', 'one'), toMembers('C', 'two')])
    assert.deepEqual(
      sessions.map((session) => session.texts),
      [['one', 'two'], ['one', 'two'], ['one', 'two'], []],
    )
  })

  test('is encoded once for all its sessions', async () => {
    const { bus, register } = start({ ann: ['C'], bob: ['C'] })
    const [ann, bob] = [await register('ann'), await register('bob')]
    bus.publish([toMembers('C', 'one')])
    assert.ok(ann.heard[0])
    assert.equal(ann.heard[0], bob.heard[0])
  })

  test('for members and a user besides reaches that user once, member or not', async () => {
    const { bus, register } = start({ ann: ['C'] })
    const [ann, bob, eve] = [await register('ann'), await register('bob'), await register('eve')]
    bus.publish([
      toMembers('C', 'ann', { audience: { to: 'members', and: 'ann' } }),
      toMembers('C', 'bob', { audience: { to: 'members', and: 'bob' } }),
    ])
    assert.deepEqual([ann.texts, bob.texts, eve.texts], [['ann', 'bob'], ['bob'], []])
  })

  test('for users reaches them once each, whether or not they are members', async () => {
    const { bus, register } = start({ ann: ['C'] })
    const [ann, bob] = [await register('ann'), await register('bob')]
    bus.publish([toMembers('C', 'one', { audience: { to: 'users', users: ['bob', 'bob', 'away'] } })])
    assert.deepEqual([ann.texts, bob.texts], [[], ['one']])
  })

  test('of a join makes the user hear the channel from this event on', async () => {
    const { bus, register } = start({ ann: ['C'] })
    const [ann, bob] = [await register('ann'), await register('bob')]
    bus.publish([toMembers('C', 'before'), toMembers('C', 'join', { joined: 'bob' }), toMembers('C', 'after')])
    assert.deepEqual(
      [ann.texts, bob.texts],
      [
        ['before', 'join', 'after'],
        ['join', 'after'],
      ],
    )
  })

  test('of a join that others are not told of counts all the same', async () => {
    const { bus, register } = start()
    const bob = await register('bob')
    bus.publish([
      toMembers('C', 'hidden', { audience: { to: 'users', users: [] }, joined: 'bob' }),
      toMembers('C', 'after'),
    ])
    assert.deepEqual(bob.texts, ['after'])
  })
})

suite('a session', () => {
  test('does not miss a join that is published while its memberships are being read', async () => {
    const bus = memoryBus()
    const read = Promise.withResolvers<string[]>()
    const hub = new Hub<Listening>({ bus, membershipsOf: () => read.promise })
    const session = new Listening('ann')
    const registered = hub.register(session)
    bus.publish([toMembers('C', 'join', { joined: 'ann' })])
    read.resolve([])
    await registered
    bus.publish([toMembers('C', 'after')])
    assert.equal(session.texts.at(-1), 'after')
  })

  test('that goes while its memberships are being read leaves nothing behind', async () => {
    const bus = memoryBus()
    const read = Promise.withResolvers<string[]>()
    const hub = new Hub<Listening>({ bus, membershipsOf: () => read.promise })
    const session = new Listening('ann')
    const registered = hub.register(session)
    hub.remove(session)
    read.resolve(['C'])
    await registered
    assert.deepEqual(hub.size, { users: 0, channels: 0 })
  })

  test('stays until it is removed when its memberships cannot be read', async () => {
    const membershipsOf = () => Promise.reject(new Error('the disk is gone'))
    const hub = new Hub<Listening>({ bus: memoryBus(), membershipsOf })
    const session = new Listening('ann')
    await assert.rejects(hub.register(session), /the disk is gone/)
    assert.deepEqual(hub.sessionsOf('ann'), [session])
    hub.remove(session)
    assert.deepEqual(hub.size, { users: 0, channels: 0 })
  })

  test('hears nothing once it is removed, and removing it again does no harm', async () => {
    const { bus, hub, register } = start({ ann: ['C'] })
    const [first, second] = [await register('ann'), await register('ann')]
    assert.deepEqual(hub.sessionsOf('ann'), [first, second])
    hub.remove(first)
    hub.remove(first)
    bus.publish([toMembers('C', 'one')])
    assert.deepEqual([first.texts, second.texts], [[], ['one']])
    hub.remove(second)
    assert.deepEqual(hub.size, { users: 0, channels: 0 })
  })

  test('may be removed by its own delivery', async () => {
    const { bus, hub, register } = start({ ann: ['C'], bob: ['C'] })
    const [ann, bob] = [await register('ann'), await register('bob')]
    ann.deliver = () => hub.remove(ann)
    bus.publish([toMembers('C', 'one')])
    assert.deepEqual(bob.texts, ['one'])
    assert.deepEqual(hub.size, { users: 1, channels: 1 })
  })
})

test('a closed hub hears nothing', async () => {
  const { bus, hub, register } = start({ ann: ['C'] })
  const ann = await register('ann')
  hub.close()
  bus.publish([toMembers('C', 'one')])
  assert.deepEqual(ann.texts, [])
})

const users = ['ann', 'bob', 'eve']
const channels = ['C', 'D']

interface Registration {
  session: Listening
  registered: Promise<void>
  /** The memberships as they were when the store was read; undefined before that. */
  read: string[] | undefined
  answer: (channelArns: string[]) => void
  /** What the session has to hear, in order; undefined until it is established. */
  due: string[] | undefined
}

/** A store that commits, a bus that hears of it later, and sessions that come and go. */
class World {
  readonly bus = memoryBus()
  readonly registrations: Registration[] = []
  readonly #members = new Map(channels.map((channelArn) => [channelArn, new Set<string>()]))
  readonly #unpublished = new Map(channels.map((channelArn): [string, Committed[]] => [channelArn, []]))
  #latestRead: PromiseWithResolvers<string[]> | undefined
  #events = 0
  readonly hub = new Hub<Listening>({
    bus: this.bus,
    membershipsOf: () => {
      this.#latestRead = Promise.withResolvers()
      return this.#latestRead.promise
    },
  })

  commit(channelArn: string, joined?: string): void {
    const members = this.#members.get(channelArn)!
    if (joined) members.add(joined)
    this.#events += 1
    const envelope = toMembers(channelArn, `${channelArn} ${this.#events}`, joined ? { joined } : {})
    this.#unpublished.get(channelArn)!.push({ envelope, members: [...members] })
  }

  publish(channelArn: string): void {
    const committed = this.#unpublished.get(channelArn)!.shift()
    if (!committed) return
    for (const { session, due } of this.registrations) {
      if (committed.members.includes(session.userArn)) due?.push(committed.envelope.frame)
    }
    this.bus.publish([committed.envelope])
  }

  register(userArn: string): void {
    const session = new Listening(userArn)
    const registered = this.hub.register(session)
    this.registrations.push({ session, registered, read: undefined, answer: this.#latestRead!.resolve, due: undefined })
  }

  read(registration: Registration): void {
    registration.read ??= channels.filter((channelArn) =>
      this.#members.get(channelArn)!.has(registration.session.userArn),
    )
  }

  async establish(registration: Registration): Promise<void> {
    if (registration.due) return
    this.read(registration)
    registration.answer(registration.read!)
    await registration.registered
    registration.session.heard.length = 0
    registration.due = []
  }

  /** If its memberships are still being read, the answer comes too late. */
  async remove(registration: Registration): Promise<void> {
    this.hub.remove(registration.session)
    this.registrations.splice(this.registrations.indexOf(registration), 1)
    this.read(registration)
    registration.answer(registration.read!)
    await registration.registered
  }
}

/** An event, and who is a member from its place in the channel's log on. */
interface Committed {
  envelope: Envelope
  members: string[]
}

type Act = (world: World) => void | Promise<void>

const someUser = fc.constantFrom(...users)
const someChannel = fc.constantFrom(...channels)
const toSomeRegistration = (act: (world: World, registration: Registration) => void | Promise<void>) =>
  fc.nat(5).map(
    (index): Act =>
      async (world) => {
        const registration = world.registrations[index]
        if (registration) await act(world, registration)
      },
  )
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.tuple(someChannel, someUser).map(
    ([channelArn, userArn]): Act =>
      (world) =>
        world.commit(channelArn, userArn),
  ),
  someChannel.map(
    (channelArn): Act =>
      (world) =>
        world.commit(channelArn),
  ),
  {
    arbitrary: someChannel.map(
      (channelArn): Act =>
        (world) =>
          world.publish(channelArn),
    ),
    weight: 2,
  },
  someUser.map(
    (userArn): Act =>
      (world) =>
        world.register(userArn),
  ),
  toSomeRegistration((world, registration) => world.read(registration)),
  toSomeRegistration((world, registration) => world.establish(registration)),
  toSomeRegistration((world, registration) => world.remove(registration)),
)

test('whatever the order of joins, events, reads and connects, an established session hears its channels, each event once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 60, size: 'max' }), async (acts) => {
      const world = new World()
      for (const next of acts) await next(world)
      for (const channelArn of channels) for (let event = 0; event < acts.length; event += 1) world.publish(channelArn)
      for (const { session, due = [] } of world.registrations) {
        // An event from before the user's join may be published after it, and be heard.
        const heard = session.texts.filter((text) => due.includes(text))
        assert.deepEqual(heard, due)
        assert.equal(new Set(session.texts).size, session.texts.length)
      }
      for (const registration of [...world.registrations]) await world.remove(registration)
      assert.deepEqual(world.hub.size, { users: 0, channels: 0 })
    }),
    { numRuns: 500 },
  )
})
