import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { graceMs } from '../../src/session/gap-reader.ts'
import { startHub } from './hub-stage.ts'

/** What was asked of the model is answered after a few turns of the event loop. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await setImmediate()
}

suite('events that come out of order', () => {
  test('are put in order, and one that crossed another on its way costs no read', async () => {
    const { channelLog, clock, register, publish } = startHub({ C: ['ann'] })
    const ann = await register('ann')
    const [one, two, three] = ['1', '2', '3'].map((frame) => channelLog.commit('C', frame))
    publish(two!, three!)
    assert.deepEqual(ann.texts, [])
    clock.advance(graceMs - 1)
    publish(one!)
    clock.advance(graceMs)
    await settle()
    assert.deepEqual(ann.texts, ['1', '2', '3'])
    assert.equal(channelLog.reads, 0)
  })

  test('are heard once, however often they come', async () => {
    const { channelLog, register, publish } = startHub({ C: ['ann'] })
    const ann = await register('ann')
    const [one, two] = [channelLog.commit('C', '1'), channelLog.commit('C', '2')]
    publish(one, two, one, two, two)
    assert.deepEqual(ann.texts, ['1', '2'])
  })
})

suite('an event that was lost', () => {
  test('is read from the log when the next one shows the gap, and the grace is over', async () => {
    const { channelLog, clock, register, publish, warnings } = startHub({ C: ['ann'] })
    const ann = await register('ann')
    for (let event = 1; event <= 9; event += 1) channelLog.commit('C', `${event}`)
    publish(channelLog.commit('C', '10'))
    assert.deepEqual(ann.texts, [])
    clock.advance(graceMs)
    await settle()
    assert.deepEqual(ann.texts, ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10'])
    assert.deepEqual(warnings, [])
  })

  test('is read when another node tells how far the log goes', async () => {
    const { channelLog, clock, register, hub, bus } = startHub({ C: ['ann'] })
    const ann = await register('ann')
    channelLog.commit('C', '1')
    hub.catchUp()
    await settle()
    clock.advance(graceMs)
    await settle()
    assert.deepEqual(ann.texts, ['1'])
    channelLog.commit('C', '2')
    bus.announceCatchUp()
    await settle()
    clock.advance(graceMs)
    await settle()
    assert.deepEqual(ann.texts, ['1', '2'])
  })

  test('is waited for while the store is away, and nothing behind it is told before', async () => {
    const { channelLog, clock, register, publish, warnings } = startHub({ C: ['ann'] })
    const ann = await register('ann')
    channelLog.commit('C', '1')
    publish(channelLog.commit('C', '2'))
    channelLog.before = () => Promise.reject(new Error('the store is away'))
    let waits = 0
    for (; waits < 8; waits += 1) {
      clock.advance(clock.nextAlarmMs! - clock.now())
      await settle()
    }
    assert.deepEqual(ann.texts, [])
    assert.equal(warnings.length, waits)
    assert.ok(clock.nextAlarmMs! - clock.now() <= 5_000, 'the pause between two tries has a limit')
    publish(channelLog.commit('C', '3'))
    channelLog.before = async () => {}
    clock.advance(5_000)
    await settle()
    assert.deepEqual(ann.texts, ['1', '2', '3'])
  })

  test('that is missing in the log itself is gone on without, with a warning', async () => {
    const { channelLog, clock, register, publish, warnings } = startHub({ C: ['ann'] })
    const ann = await register('ann')
    for (const frame of ['1', '2', '3', '4']) channelLog.commit('C', frame)
    channelLog.lose('C', 1, 3, 4)
    publish(channelLog.commit('C', '5'))
    clock.advance(graceMs)
    await settle()
    assert.deepEqual(ann.texts, ['2', '5'])
    assert.deepEqual(warnings, [
      { channelArn: 'C', after: 0, through: 1, text: 'gap in a channel log' },
      { channelArn: 'C', after: 2, through: 4, text: 'gap in a channel log' },
    ])
  })

  test('keeps no other channel waiting, not even one of many more than are read at once', async () => {
    const channels = Array.from({ length: 30 }, (_, index) => `C${index}`)
    const { channelLog, clock, register, hub, tell } = startHub(
      Object.fromEntries([...channels, 'D'].map((channelArn) => [channelArn, ['ann']])),
    )
    const ann = await register('ann')
    for (const channelArn of channels) channelLog.commit(channelArn, `${channelArn} lost`)
    hub.catchUp()
    await settle()
    clock.advance(graceMs)
    tell('D', 'at once')
    assert.deepEqual(ann.texts, ['at once'])
    await settle()
    assert.equal(ann.texts.length, 31)
  })
})

suite('a join', () => {
  test('that nobody told of is found by catching up, and heard with all that followed it', async () => {
    const { bus, channelLog, clock, hub, register } = startHub({ C: ['eve'] })
    const bob = await register('bob')
    channelLog.commit('C', 'before')
    channelLog.commit('C', 'join', { joins: ['bob'] })
    channelLog.commit('C', 'after')
    hub.catchUp()
    await settle()
    clock.advance(graceMs)
    await settle()
    bus.publish([channelLog.commit('C', 'later')])
    clock.advance(graceMs)
    await settle()
    assert.deepEqual(bob.texts, ['join', 'after', 'later'])
  })

  test('that is heard of late goes back for its user, and repeats nothing for the others', async () => {
    const { channelLog, clock, hub, register, tell, publish } = startHub({ C: ['ann'] })
    const bob = await register('bob')
    channelLog.commit('C', 'before')
    const join = channelLog.commit('C', 'join', { joins: ['bob'] })
    const ann = await register('ann')
    tell('C', 'after')
    assert.deepEqual([ann.texts, bob.texts], [['after'], []])
    publish(join)
    tell('C', 'later')
    clock.advance(graceMs)
    await settle()
    assert.deepEqual(
      [ann.texts, bob.texts],
      [
        ['after', 'later'],
        ['join', 'after', 'later'],
      ],
    )
    hub.catchUp()
    await settle()
    clock.advance(graceMs)
    await settle()
    tell('C', 'last')
    assert.deepEqual([ann.texts.at(-1), bob.texts.length], ['last', 4])
  })

  test('that is heard of later than a later one goes back further, and still repeats nothing', async () => {
    const { channelLog, clock, register, tell, publish } = startHub({ C: ['ann'] })
    const [bob, eve] = [await register('bob'), await register('eve')]
    const bobJoins = channelLog.commit('C', 'bob', { joins: ['bob'] })
    const eveJoins = channelLog.commit('C', 'eve', { joins: ['eve'] })
    const ann = await register('ann')
    tell('C', 'after')
    publish(eveJoins)
    channelLog.before = () => setImmediate()
    publish(bobJoins)
    clock.advance(graceMs)
    await settle()
    assert.deepEqual([ann.texts, bob.texts, eve.texts], [['after'], ['bob', 'eve', 'after'], ['eve', 'after']])
  })

  test('that was lost is found when the user opens another session', async () => {
    const { channelLog, clock, register } = startHub({ C: ['eve'] })
    const first = await register('bob')
    channelLog.commit('C', 'join', { joins: ['bob'] })
    await register('bob')
    clock.advance(graceMs)
    await settle()
    assert.deepEqual(first.texts, ['join'])
  })

  test('shows nothing of what was before it, also where the hub is behind', async () => {
    const { channelLog, clock, register, publish } = startHub({ C: ['ann', 'bob'] })
    const ann = await register('ann')
    for (const frame of ['1', '2', '3']) channelLog.commit('C', frame)
    const bob = await register('bob')
    publish(channelLog.commit('C', '4'))
    clock.advance(graceMs)
    await settle()
    assert.deepEqual([ann.texts, bob.texts], [['1', '2', '3', '4'], ['4']])
  })
})

suite('a channel that is deleted', () => {
  test('is told of after what is held back, though its log is gone', async () => {
    const { channelLog, clock, hub, register, publish } = startHub({ C: ['ann'] })
    const ann = await register('ann')
    channelLog.commit('C', 'lost')
    const held = channelLog.commit('C', 'held')
    channelLog.commit('C', 'lost too')
    publish(channelLog.commit('C', 'end', { closes: true }), held)
    channelLog.forget('C')
    clock.advance(graceMs)
    await settle()
    assert.deepEqual(ann.texts, ['held', 'end'])
    assert.deepEqual(hub.size, { users: 1, channels: 0 })
  })

  test('is told of once, where nobody else has told it', async () => {
    const { channelLog, clock, hub, register, publish } = startHub({ C: ['ann', 'bob'] })
    const [ann, bob] = [await register('ann'), await register('bob')]
    const end = channelLog.commit('C', 'end', { closes: true })
    hub.catchUp()
    await settle()
    clock.advance(graceMs)
    await settle()
    publish(end)
    assert.deepEqual([ann.texts, bob.texts], [['end'], ['end']])
    assert.deepEqual(hub.size, { users: 2, channels: 0 })
  })

  for (const rest of ['its head', 'nothing']) {
    test(`is told of, though ${rest} is left of it`, async () => {
      const { channelLog, clock, hub, register, warnings } = startHub({ C: ['ann'] })
      const ann = await register('ann')
      channelLog.commit('C', 'lost')
      channelLog.commit('C', 'end', { closes: true })
      channelLog.lose('C', 1, 2)
      if (rest === 'nothing') channelLog.forget('C')
      hub.catchUp()
      await settle()
      clock.advance(graceMs)
      await settle()
      assert.deepEqual(ann.texts, ['C is gone'])
      assert.deepEqual(hub.size, { users: 1, channels: 0 })
      assert.deepEqual(warnings, [])
    })
  }

  test('and made anew with the same ARN is another channel', async () => {
    const { channelLog, clock, hub, register, tell } = startHub({ C: ['ann', 'bob'] })
    const [ann, bob] = [await register('ann'), await register('bob')]
    for (const frame of ['1', '2', '3']) tell('C', frame)
    channelLog.commit('C', 'end', { closes: true })
    channelLog.open('C')
    channelLog.commit('C', 'join', { joins: ['ann'] })
    hub.catchUp()
    await settle()
    clock.advance(graceMs)
    await settle()
    assert.deepEqual(ann.texts, ['1', '2', '3', 'end', 'join'])
    assert.deepEqual(bob.texts, ['1', '2', '3', 'end'])
  })

  test('ends before the one that was made anew begins, whichever is heard of first', async () => {
    const { channelLog, clock, hub, register, publish } = startHub({ C: ['ann', 'bob'] })
    const [ann, bob] = [await register('ann'), await register('bob')]
    const last = channelLog.commit('C', 'last')
    const end = channelLog.commit('C', 'end', { closes: true })
    const typing = { ...channelLog.open('C'), seq: undefined, audience: { to: 'members' as const }, frame: 'typing' }
    const [join, first] = [channelLog.commit('C', 'join', { joins: ['ann'] }), channelLog.commit('C', 'first')]
    publish(join, first, typing)
    assert.deepEqual([ann.texts, bob.texts], [[], []])
    publish(end, last)
    assert.deepEqual(
      [ann.texts, bob.texts],
      [
        ['last', 'end', 'join', 'first'],
        ['last', 'end'],
      ],
    )
    assert.deepEqual(hub.size, { users: 2, channels: 1 })
    clock.advance(graceMs)
    await settle()
    assert.equal(channelLog.reads, 0)
  })
})

suite('catching up', () => {
  test('is tried again when the store is away', async () => {
    const { channelLog, clock, hub, register } = startHub({ C: ['ann'] })
    const ann = await register('ann')
    channelLog.commit('C', '1')
    channelLog.before = () => Promise.reject(new Error('the store is away'))
    hub.catchUp()
    await settle()
    channelLog.before = async () => {}
    clock.advance(1_000)
    await settle()
    clock.advance(graceMs)
    await settle()
    assert.deepEqual(ann.texts, ['1'])
  })

  test('ends the sessions of users that are deleted, and not those of one that was created again', async () => {
    const { bus, channelLog, hub, register } = startHub({ C: ['ann', 'bob'] })
    const [ann, bob] = [await register('ann'), await register('bob')]
    channelLog.users.set('ann', undefined)
    bus.announceChange('bob')
    await settle()
    assert.deepEqual([ann.hasEnded, bob.hasEnded], [false, false])
    bus.announceChange('ann')
    await settle()
    assert.deepEqual([ann.hasEnded, bob.hasEnded], [true, false])
    channelLog.users.set('bob', 2)
    const again = await register('bob', 2)
    assert.deepEqual([bob.hasEnded, again.hasEnded], [true, false])
    channelLog.users.set('bob', undefined)
    hub.catchUp()
    await settle()
    assert.ok(again.hasEnded)
  })

  test('that is asked for while it is done is done once more, and not at the same time', async () => {
    const { channelLog, hub, register } = startHub({ C: ['ann'] })
    await register('ann')
    let [working, most, calls] = [0, 0, 0]
    channelLog.before = async () => {
      calls += 1
      working += 1
      most = Math.max(most, working)
      await setImmediate()
      working -= 1
    }
    for (let asks = 0; asks < 10; asks += 1) hub.catchUp()
    await settle()
    assert.equal(most, 1)
    assert.equal(calls, 6, 'two rounds of three questions each')
  })

  test('leaves no alarm behind in a hub that is closed', async () => {
    const { channelLog, clock, hub, register, publish } = startHub({ C: ['ann'] })
    const ann = await register('ann')
    channelLog.commit('C', '1')
    publish(channelLog.commit('C', '2'))
    channelLog.before = () => Promise.reject(new Error('the store is away'))
    hub.catchUp()
    await settle()
    hub.close()
    assert.equal(clock.nextAlarmMs, undefined)
    assert.deepEqual(ann.texts, [])
  })
})
