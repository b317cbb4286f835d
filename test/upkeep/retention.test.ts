import assert from 'node:assert/strict'
import { graceMs } from '../../src/api/app-instances/retention.ts'
import { channelDetails } from '../../src/api/messaging-sessions/channel-details.ts'
import { dayMs } from '../../src/api/times.ts'
import { onBothEngines, type World } from './world.ts'

const put = (world: World, RetentionDays?: number) =>
  world.call('PutAppInstanceRetentionSettings', {
    AppInstanceArn: world.appInstanceArn,
    AppInstanceRetentionSettings: { ChannelRetentionSettings: { RetentionDays } },
  })

const messages = async (world: World, id: string) =>
  world.count('channel_message', 'channel_id = $1', await world.channelId(id))

const listed = async (world: World, id: string, input: object = {}) => {
  const list = { ChannelArn: world.channel(id), ChimeBearer: world.user('ana'), ...input }
  return (await world.call('ListChannelMessages', list)).ChannelMessages.length
}

async function after(world: World, byMs: number): Promise<void> {
  world.clock.advance(byMs)
  await world.look()
}

onBothEngines(
  'messages past the limit are hidden at once, and can be restored during the grace period',
  async (world) => {
    await world.createChannel('lounge')
    const { MessageId } = await world.send('lounge')
    await after(world, 2 * dayMs)
    await world.send('lounge')
    const get = () =>
      world.call('GetChannelMessage', {
        ChannelArn: world.channel('lounge'),
        MessageId,
        ChimeBearer: world.user('ben'),
      })
    const prefetched = async () => {
      const options = { sortBy: undefined, now: world.clock.now() }
      const details = await channelDetails(world.store.read, world.user('ben'), options).next()
      return (details.value as { ChannelMessages: object[] }).ChannelMessages.length
    }
    assert.equal(await prefetched(), 2)
    await put(world, 1)
    assert.equal(await prefetched(), 1)
    for (const SortOrder of ['ASCENDING', 'DESCENDING']) assert.equal(await listed(world, 'lounge', { SortOrder }), 1)
    assert.equal(await listed(world, 'lounge', { NotBefore: 0 }), 1)
    await assert.rejects(get(), { code: 'NotFound' })
    await after(world, graceMs - 1)
    assert.equal(await messages(world, 'lounge'), 2)
    await put(world, 1000)
    assert.equal(await listed(world, 'lounge'), 2)
    await get()
    await put(world)
    await after(world, 2 * graceMs)
    assert.equal(await messages(world, 'lounge'), 2)
  },
)

onBothEngines('after the grace period they are deleted, and then daily those past the limit', async (world) => {
  for (const id of ['one', 'two', 'empty']) await world.createChannel(id)
  const { InitiateDeletionTimestamp } = await put(world, 1)
  assert.equal(InitiateDeletionTimestamp * 1000, world.clock.now() + graceMs)
  assert.deepEqual(await put(world, 1), await put(world, 1), 'the same once more is no change')
  await world.fill('one', 250)
  await world.fill('two', 3)
  await after(world, graceMs - dayMs / 2)
  await world.send('two')
  await after(world, dayMs / 2)
  assert.deepEqual([await messages(world, 'one'), await messages(world, 'two')], [0, 1])
  await world.fill('one', 2)
  await after(world, dayMs)
  assert.deepEqual([await messages(world, 'one'), await messages(world, 'two')], [2, 0])
  await after(world, dayMs)
  assert.equal(await messages(world, 'one'), 0)
})

onBothEngines('a held message is deleted with its run and its steps', async (world) => {
  await world.createChannel('lounge')
  await put(world, 1)
  await world.fill('lounge', 3, { held: true })
  const decided: string[] = []
  world.store.onCommit((committed) => decided.push(...committed.decided))
  await after(world, graceMs)
  for (const table of ['channel_message', 'flow_run', 'flow_step']) assert.equal(await world.count(table), 0, table)
  assert.equal(decided.length, 3)
})

onBothEngines('a change during the grace period starts it again', async (world) => {
  await world.createChannel('lounge')
  await world.send('lounge')
  await put(world, 1)
  await after(world, graceMs - 1)
  await put(world, 2)
  await after(world, graceMs - 1)
  assert.equal(await messages(world, 'lounge'), 1)
  await after(world, 1)
  assert.equal(await messages(world, 'lounge'), 0)
})

onBothEngines('a sweep that is interrupted continues from its cursor', async (world) => {
  for (const id of ['one', 'two']) await world.createChannel(id)
  await put(world, 1)
  await world.fill('one', 150)
  await world.fill('two', 150)
  world.clock.advance(graceMs)
  await world.lookUntil('retention', 1)
  assert.deepEqual([await messages(world, 'one'), await messages(world, 'two')], [50, 150])
  await world.look()
  assert.equal(await world.count('channel_message'), 0)
})

onBothEngines('never set, set and removed have different responses', async (world) => {
  const get = () => world.call('GetAppInstanceRetentionSettings', { AppInstanceArn: world.appInstanceArn })
  assert.deepEqual(await get(), {})
  const set = await put(world, 7)
  assert.deepEqual(set.AppInstanceRetentionSettings, { ChannelRetentionSettings: { RetentionDays: 7 } })
  assert.deepEqual(await get(), set)
  await put(world)
  assert.deepEqual(await get(), {
    AppInstanceRetentionSettings: { ChannelRetentionSettings: {} },
    InitiateDeletionTimestamp: undefined,
  })
  const unknown = { AppInstanceArn: `${world.appInstanceArn}0`, AppInstanceRetentionSettings: {} }
  await assert.rejects(world.call('PutAppInstanceRetentionSettings', unknown), { code: 'Forbidden' })
  await assert.rejects(world.call('GetAppInstanceRetentionSettings', unknown), { code: 'Forbidden' })
})
