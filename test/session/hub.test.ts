import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { ChannelRef, Envelope } from '../../src/bus/bus.ts'
import { until } from '../support/until.ts'
import { Listening, startHub } from './hub-stage.ts'

suite('an event', () => {
  test('for members reaches all sessions of all members, and nobody else', async () => {
    const { tell, register } = startHub({ C: ['ann', 'bob'], D: ['bob', 'eve'] })
    const sessions = await Promise.all(['ann', 'ann', 'bob', 'eve'].map(register))
    tell('C', 'one')
    tell('C', 'two')
    assert.deepEqual(
      sessions.map((session) => session.texts),
      [['one', 'two'], ['one', 'two'], ['one', 'two'], []],
    )
  })

  test('is encoded once for all its sessions', async () => {
    const { tell, register } = startHub({ C: ['ann', 'bob'] })
    const [ann, bob] = [await register('ann'), await register('bob')]
    tell('C', 'one')
    assert.ok(ann.heard[0])
    assert.equal(ann.heard[0], bob.heard[0])
  })

  test('for some members reaches them once each, and no other member', async () => {
    const { tell, register } = startHub({ C: ['ann', 'bob'] })
    const [ann, bob] = [await register('ann'), await register('bob')]
    tell('C', 'one', { audience: { to: 'users', users: ['bob', 'bob', 'away'] } })
    assert.deepEqual([ann.texts, bob.texts], [[], ['one']])
  })

  test('of a join makes the user hear the channel from this event on', async () => {
    const { tell, register } = startHub({ C: ['ann'] })
    const [ann, bob] = [await register('ann'), await register('bob')]
    tell('C', 'before')
    tell('C', 'join', { joins: ['bob'], audience: { to: 'members' } })
    tell('C', 'after')
    assert.deepEqual(
      [ann.texts, bob.texts],
      [
        ['before', 'join', 'after'],
        ['join', 'after'],
      ],
    )
  })

  test('of a join that others are not told of counts all the same', async () => {
    const { tell, register } = startHub({ C: [] })
    const bob = await register('bob')
    tell('C', 'hidden', { audience: { to: 'users', users: [] }, joins: ['bob'] })
    tell('C', 'after')
    assert.deepEqual(bob.texts, ['after'])
  })

  test('of the end of a channel is the last that its members hear of it', async () => {
    const { hub, tell, register, channelLog } = startHub({ C: ['ann'] })
    const ann = await register('ann')
    tell('C', 'end', { closes: true })
    channelLog.open('C')
    tell('C', 'of another channel of that name')
    assert.deepEqual(ann.texts, ['end'])
    assert.deepEqual(hub.size, { users: 1, channels: 0 })
  })
})

suite('what makes no row', () => {
  const unnumbered = (channel: ChannelRef, frame: string, audience: Envelope['audience']): Envelope => {
    return { ...channel, seq: undefined, audience, frame }
  }

  test('reaches the members at once, whatever else is missing', async () => {
    const { channelLog, publish, register } = startHub({ C: ['ann'] })
    const ann = await register('ann')
    channelLog.commit('C', 'lost')
    publish(channelLog.commit('C', 'held'), unnumbered(channelLog.ref('C'), 'typing', { to: 'members' }))
    assert.deepEqual(ann.texts, ['typing'])
  })

  test('reaches the users it is for once each, if they are members', async () => {
    const { channelLog, publish, register } = startHub({ C: ['ann', 'bob'] })
    const [ann, bob, eve] = [await register('ann'), await register('bob'), await register('eve')]
    publish(unnumbered(channelLog.ref('C'), 'one', { to: 'users', users: ['bob', 'bob', 'away', 'eve'] }))
    assert.deepEqual([ann.texts, bob.texts, eve.texts], [[], ['one'], []])
  })
})

suite('a session', () => {
  test('does not miss a join that is published while its memberships are being read', async () => {
    const { channelLog, hub, tell } = startHub({ C: [] })
    const read = Promise.withResolvers<void>()
    channelLog.before = () => read.promise
    const session = new Listening('ann')
    const registered = hub.register(session)
    tell('C', 'join', { joins: ['ann'] })
    read.resolve()
    await registered
    tell('C', 'after')
    assert.equal(session.texts.at(-1), 'after')
  })

  test('sees a leave from a channel whose page was read, while later pages are read', async () => {
    // A page has two memberships, and is read twice: before and after the subscription to its channels.
    for (const reads of [1, 2, 3, 4]) {
      const { channelLog, register, tell, hub } = startHub({ C: ['ann'], D: ['ann'], E: ['ann'], F: ['ann'] })
      let left = reads
      channelLog.after = async () => {
        left -= 1
        if (left === 0) tell('C', 'leave', { leaves: 'ann', audience: { to: 'users', users: ['ann'] } })
      }
      const ann = await register('ann')
      tell('C', 'after')
      tell('F', 'last')
      assert.deepEqual(
        ann.texts.filter((text) => text !== 'leave'),
        ['last'],
        `after ${reads} reads`,
      )
      assert.equal(hub.size.channels, 3)
    }
  })

  test('that goes while its memberships are being read leaves nothing behind', async () => {
    const { channelLog, hub } = startHub({ C: ['ann'] })
    const read = Promise.withResolvers<void>()
    channelLog.before = () => read.promise
    const session = new Listening('ann')
    const registered = hub.register(session)
    hub.remove(session)
    read.resolve()
    await registered
    assert.deepEqual(hub.size, { users: 0, channels: 0 })
  })

  test('stays until it is removed when its memberships cannot be read; another may have better luck', async () => {
    const { channelLog, hub, register, tell } = startHub({ C: ['ann'] })
    channelLog.before = () => Promise.reject(new Error('the disk is gone'))
    const session = new Listening('ann')
    await assert.rejects(hub.register(session), /the disk is gone/)
    assert.deepEqual(hub.sessionsOf('ann'), [session])
    channelLog.before = async () => {}
    const other = await register('ann')
    tell('C', 'one')
    assert.deepEqual(other.texts, ['one'])
    hub.remove(session)
    hub.remove(other)
    assert.deepEqual(hub.size, { users: 0, channels: 0 })
  })

  test('hears nothing once it is removed, and removing it again does no harm', async () => {
    const { tell, hub, register } = startHub({ C: ['ann'] })
    const [first, second] = [await register('ann'), await register('ann')]
    assert.deepEqual(hub.sessionsOf('ann'), [first, second])
    hub.remove(first)
    hub.remove(first)
    tell('C', 'one')
    assert.deepEqual([first.texts, second.texts], [[], ['one']])
    hub.remove(second)
    assert.deepEqual(hub.size, { users: 0, channels: 0 })
  })

  test('of a user with many channels is removed in parts, and the next one of the user hears each event once', async () => {
    const channels = Array.from({ length: 1_500 }, (_, number): [string, string[]] => [`C${number}`, ['ann']])
    const { hub, register, tell } = startHub(Object.fromEntries(channels))
    const first = await register('ann')
    hub.remove(first)
    const { users, channels: left } = hub.size
    assert.equal(users, 0)
    assert.ok(left > 0 && left < 1_500, `${left} channels are left after the first part`)
    const second = await register('ann')
    tell('C0', 'one')
    tell('C1499', 'two')
    assert.deepEqual([first.texts, second.texts], [[], ['one', 'two']])
    hub.remove(second)
    await until(() => hub.size.channels === 0)
  })

  test('may be removed by its own delivery', async () => {
    const { tell, hub, register } = startHub({ C: ['ann', 'bob'] })
    const [ann, bob] = [await register('ann'), await register('bob')]
    ann.deliver = () => hub.remove(ann)
    tell('C', 'one')
    assert.deepEqual(bob.texts, ['one'])
    assert.deepEqual(hub.size, { users: 1, channels: 1 })
  })
})

test('one process never reads its log: all comes in order', async () => {
  const { channelLog, clock, tell, register } = startHub({ C: ['ann'] })
  const ann = await register('ann')
  for (let event = 1; event <= 20; event += 1) tell('C', `${event}`)
  assert.equal(ann.texts.length, 20)
  assert.equal(clock.nextAlarmMs, undefined)
  assert.equal(channelLog.reads, 0)
})

test('a closed hub hears nothing', async () => {
  const { hub, tell, register } = startHub({ C: ['ann'] })
  const ann = await register('ann')
  hub.close()
  tell('C', 'one')
  assert.deepEqual(ann.texts, [])
})
