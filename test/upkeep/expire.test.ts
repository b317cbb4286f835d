import assert from 'node:assert/strict'
import { dayMs } from '../../src/api/times.ts'
import { listenTo } from '../store/store-suite.ts'
import { onBothEngines, onTwoNodes, type World } from './world.ts'

const created = (ExpirationDays: number) => ({ ExpirationDays, ExpirationCriterion: 'CREATED_TIMESTAMP' })
const lastMessage = (ExpirationDays: number) => ({ ExpirationDays, ExpirationCriterion: 'LAST_MESSAGE_TIMESTAMP' })

const putChannel = (world: World, id: string, ExpirationSettings?: object) =>
  world.call('PutChannelExpirationSettings', { ChannelArn: world.channel(id), ExpirationSettings })

const lives = async (world: World, id: string) =>
  (await world.count('channel_head', 'channel_arn = $1 AND deleted_at IS NULL', world.channel(id))) === 1

async function after(world: World, byMs: number): Promise<void> {
  world.clock.advance(byMs)
  await world.look()
}

onBothEngines('a channel expires so many days after its creation, and its members are notified', async (world) => {
  await world.createChannel('lounge', { ExpirationSettings: created(2) })
  await world.createChannel('other')
  await after(world, 2 * dayMs - 1)
  await world.send('lounge')
  assert.ok(await lives(world, 'lounge'))
  const told = listenTo(world.store)
  await after(world, 1)
  assert.ok(!(await lives(world, 'lounge')))
  assert.deepEqual(
    told.flatMap(({ events }) => events).map(({ eventType, channelArn }) => [eventType, channelArn]),
    [['DELETE_CHANNEL', world.channel('lounge')]],
  )
  assert.ok(await lives(world, 'other'))
  assert.equal(await world.count('work', `kind = 'expire-channel'`), 0)
})

onBothEngines(
  'a channel expires so many days after its last message, without further writes for a message',
  async (world) => {
    await world.createChannel('lounge', { ExpirationSettings: lastMessage(2) })
    const check = () =>
      world.store.read.get<{ due_at: number }>(`SELECT due_at FROM work WHERE kind = 'expire-channel'`)
    const first = await check()
    await after(world, dayMs)
    await world.send('lounge')
    const sentAt = world.clock.now()
    assert.deepEqual(await check(), first)
    await after(world, dayMs)
    assert.ok(await lives(world, 'lounge'))
    assert.equal((await check())?.due_at, sentAt + 2 * dayMs, 'the check has moved on')
    await after(world, dayMs)
    assert.ok(!(await lives(world, 'lounge')))
  },
)

onBothEngines('without a message it expires by its creation', async (world) => {
  await world.createChannel('lounge', { ExpirationSettings: lastMessage(1) })
  await after(world, dayMs)
  assert.ok(!(await lives(world, 'lounge')))
})

onBothEngines('the settings of a channel can be changed and removed until it expires', async (world) => {
  for (const id of ['longer', 'shorter', 'never']) {
    await world.createChannel(id, { ExpirationSettings: created(3) })
  }
  await after(world, dayMs)
  await putChannel(world, 'longer', created(5))
  await putChannel(world, 'shorter', created(1))
  await putChannel(world, 'never')
  await world.look()
  assert.deepEqual([await lives(world, 'longer'), await lives(world, 'shorter')], [true, false])
  await after(world, 3 * dayMs)
  assert.ok(await lives(world, 'longer'))
  await after(world, dayMs)
  assert.deepEqual([await lives(world, 'longer'), await lives(world, 'never')], [false, true])
  await assert.rejects(putChannel(world, 'longer', created(1)), { code: 'Forbidden' })
})

onBothEngines('a channel that is created again does not inherit the settings', async (world) => {
  await world.createChannel('lounge', { ExpirationSettings: created(1) })
  await world.deleteChannel('lounge')
  await world.createChannel('lounge')
  await after(world, 2 * dayMs)
  assert.ok(await lives(world, 'lounge'))
})

onBothEngines('a user expires, and leaves its channels', async (world) => {
  const dora = await world.createUser('dora', { ExpirationSettings: created(1) })
  await world.createUser('emil', { ExpirationSettings: created(1) })
  const put = { AppInstanceUserArn: world.user('emil') }
  await world.call('PutAppInstanceUserExpirationSettings', { ...put, ExpirationSettings: created(2) })
  await world.createChannel('lounge', { MemberArns: [dora, world.user('emil')] })
  const told = listenTo(world.store)
  await after(world, dayMs - 1)
  const events = () => told.flatMap((committed) => committed.events)
  assert.deepEqual(events(), [])
  await after(world, 1)
  await assert.rejects(world.call('DescribeAppInstanceUser', { AppInstanceUserArn: dora }), { code: 'Forbidden' })
  await world.look()
  assert.deepEqual(
    events().map(({ eventType, subject }) => [eventType, subject]),
    [['DELETE_CHANNEL_MEMBERSHIP', dora]],
  )
  await world.call('PutAppInstanceUserExpirationSettings', put)
  await after(world, 2 * dayMs)
  assert.equal(events().length, 1)
  assert.deepEqual(world.closed, [dora])
})

onTwoNodes('a channel expires once, and not before a concurrent message', async (world, second) => {
  const ids = ['one', 'two', 'three', 'four']
  for (const id of ids) await world.createChannel(id, { ExpirationSettings: lastMessage(1) })
  world.clock.advance(dayMs)
  const sent = Promise.all(ids.map((id) => world.fill(id, 1)))
  await Promise.all([world.look(), world.upkeep({ id: 'node-2', store: second }).look()])
  const results = (await sent).flat()
  for (const [index, id] of ids.entries()) {
    const ends = await world.count(
      'channel_log',
      `channel_id = $1 AND event_type = 'DELETE_CHANNEL'`,
      await world.channelId(id),
    )
    assert.equal(await lives(world, id), results[index] === 'accepted', id)
    assert.equal(ends, results[index] === 'accepted' ? 0 : 1, id)
  }
})
