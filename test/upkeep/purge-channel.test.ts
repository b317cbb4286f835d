import assert from 'node:assert/strict'
import { channelTables } from '../../src/upkeep/channel-rows.ts'
import { logKeepMs } from '../../src/upkeep/purge-channel.ts'
import { aroundStore } from '../support/around-store.ts'
import { onBothEngines, onTwoNodes, type World } from './world.ts'

const forbidden = { code: 'Forbidden' }

/** How many rows each table has of the channel. */
async function rowsOf(world: World, channelId: number): Promise<Record<string, number>> {
  const tables = [...channelTables.map(({ table }) => table), 'channel_log', 'channel_head']
  const counts = await Promise.all(tables.map((table) => world.count(table, 'channel_id = $1', channelId)))
  return Object.fromEntries(tables.flatMap((table, index) => (counts[index] ? [[table, counts[index]]] : [])))
}

const membershipsOf = async (world: World, id: string): Promise<number | undefined> => {
  const text = 'SELECT memberships FROM app_instance_user WHERE user_id = $1'
  return (await world.store.read.get<{ memberships: number }>(text, await world.userId(id)))?.memberships
}

onBothEngines('a deleted channel accepts no writes, even before its purge', async (world) => {
  const ChannelArn = await world.createChannel('lounge')
  await world.fill('lounge', 2)
  await world.fill('lounge', 2, { held: true })
  await world.deleteChannel('lounge')
  const before = await rowsOf(world, await world.channelId('lounge'))
  const heard: unknown[] = []
  world.store.onCommit((committed) => heard.push(...committed.events, ...committed.jobs))
  assert.deepEqual(await world.fill('lounge', 1), ['rejected'])
  assert.deepEqual(await world.fill('lounge', 1, { held: true }), ['rejected'])
  await assert.rejects(world.send('lounge'), forbidden)
  await assert.rejects(world.deleteChannel('lounge'), forbidden)
  await assert.rejects(world.call('DescribeChannel', { ChannelArn, ChimeBearer: world.user('ana') }), forbidden)
  const take = { kind: 'TakeSteps', owner: 'node-2', now: Number.MAX_SAFE_INTEGER, againAt: 0, stepsMax: 10 } as const
  assert.deepEqual(await world.store.commit({ ...take, deadNode: 'node-1' }), [])
  assert.deepEqual(heard, [])
  assert.deepEqual(await rowsOf(world, await world.channelId('lounge')), before)
})

onBothEngines('a purge keeps the log for some time, and then only the head row', async (world) => {
  await world.createChannel('lounge', { Tags: [{ Key: 'k', Value: 'v' }] })
  await world.createChannel('other')
  await world.fill('lounge', 600)
  await world.fill('lounge', 300, { held: true })
  await world.fill('other', 3)
  const lounge = await world.channelId('lounge')
  const others = await rowsOf(world, await world.channelId('other'))
  const log = (await rowsOf(world, lounge)).channel_log!
  const decided: string[] = []
  world.store.onCommit((committed) => decided.push(...committed.decided))
  await world.deleteChannel('lounge')
  await world.look()
  assert.deepEqual(await rowsOf(world, lounge), { channel_log: log + 1, channel_head: 1 })
  assert.equal(new Set(decided).size, 300, 'the steps that were open have ended')
  world.clock.advance(logKeepMs - 1)
  await world.look()
  assert.equal((await rowsOf(world, lounge)).channel_log, log + 1)
  world.clock.advance(1)
  await world.look()
  assert.deepEqual(await rowsOf(world, lounge), { channel_head: 1 })
  assert.deepEqual(await rowsOf(world, await world.channelId('other')), others)
  assert.deepEqual([await membershipsOf(world, 'ana'), await membershipsOf(world, 'ben')], [1, 1])
  assert.equal(await world.count('tag'), 0)
  assert.equal(await world.count('work', `kind = 'purge-channel'`), 0)
})

onBothEngines('a channel that is created again during the purge of the first keeps all of its rows', async (world) => {
  await world.createChannel('lounge')
  await world.fill('lounge', 600)
  const first = await world.channelId('lounge')
  await world.deleteChannel('lounge')
  await world.createChannel('lounge')
  const second = await world.channelId('lounge')
  assert.notEqual(second, first)
  await world.fill('lounge', 300)
  const whole = await rowsOf(world, second)
  await world.lookUntil('purge-channel', 2)
  assert.ok((await rowsOf(world, first)).channel_message! > 0, 'the purge is not over')
  await world.send('lounge')
  await world.look()
  world.clock.advance(logKeepMs)
  await world.look()
  assert.deepEqual(await rowsOf(world, first), { channel_head: 1 })
  const added = { channel_message: 301, channel_log: whole.channel_log! + 1 }
  assert.deepEqual(await rowsOf(world, second), { ...whole, ...added })
  assert.equal(await membershipsOf(world, 'ben'), 1)
})

onBothEngines('a purge that is interrupted continues from its cursor', async (world) => {
  await world.createChannel('lounge')
  await world.fill('lounge', 700)
  await world.deleteChannel('lounge')
  const lounge = await world.channelId('lounge')
  await world.lookUntil('purge-channel', 1)
  assert.equal((await rowsOf(world, lounge)).channel_message, 575)
  assert.deepEqual(await world.owners('purge-channel'), ['node-1'])
  await world.look()
  assert.equal((await rowsOf(world, lounge)).channel_message, undefined)
})

onBothEngines('a failed piece changes nothing, and is retried a minute later', async (world) => {
  await world.createChannel('lounge')
  await world.fill('lounge', 10)
  await world.deleteChannel('lounge')
  const lounge = await world.channelId('lounge')
  const before = await rowsOf(world, lounge)
  let fails = true
  const store = aroundStore(world.store, {
    transaction: (work, isolation) =>
      world.store.transaction(
        (transaction) =>
          work({
            ...transaction,
            run: (sql, ...values) => {
              if (fails && sql.startsWith('DELETE FROM channel_membership')) throw new Error('no such luck')
              return transaction.run(sql, ...values)
            },
          }),
        isolation,
      ),
  })
  await world.upkeep({ store }).look()
  assert.deepEqual(await rowsOf(world, lounge), before)
  const row = await world.store.read.get(`SELECT failure, owner FROM work WHERE kind = 'purge-channel'`)
  assert.deepEqual({ ...(row as object) }, { failure: 'no such luck', owner: '' })
  assert.equal(world.failures.splice(0).length, 1)
  fails = false
  await world.upkeep({ store }).look()
  assert.deepEqual(await rowsOf(world, lounge), before, 'not before a minute has passed')
  world.clock.advance(60_000)
  await world.upkeep({ store }).look()
  assert.equal((await rowsOf(world, lounge)).channel_membership, undefined)
})

onTwoNodes('a node does not do work of another one, and continues it when that one is dead', async (world, second) => {
  const forget = await world.register('node-1')
  await world.createChannel('lounge')
  await world.fill('lounge', 700)
  await world.deleteChannel('lounge')
  const lounge = await world.channelId('lounge')
  await world.lookUntil('purge-channel', 1)
  const other = world.upkeep({ id: 'node-2', store: second })
  await other.look()
  assert.equal((await rowsOf(world, lounge)).channel_message, 575)
  await forget()
  await other.look()
  assert.equal((await rowsOf(world, lounge)).channel_message, undefined)
})

onTwoNodes('nodes that purge concurrently do each piece once', async (world, second) => {
  for (const id of ['node-1', 'node-2']) await world.register(id)
  const ids = ['one', 'two', 'three', 'four']
  for (const id of ids) {
    await world.createChannel(id)
    await world.fill(id, 300)
    await world.deleteChannel(id)
  }
  const nodes = [world.upkeep(), world.upkeep({ id: 'node-2', store: second })]
  await Promise.all(nodes.map((node) => node.look()))
  for (const id of ids) {
    const { channel_message, channel_membership } = await rowsOf(world, await world.channelId(id))
    assert.deepEqual([channel_message, channel_membership], [undefined, undefined])
  }
  assert.deepEqual([await membershipsOf(world, 'ana'), await membershipsOf(world, 'ben')], [0, 0])
})

onTwoNodes('a channel is deleted during steady sends', async (world, second) => {
  await world.createChannel('lounge')
  let isDeleted = false
  const results: string[] = []
  const sending = Array.from({ length: 8 }, async () => {
    while (!isDeleted) results.push(...(await world.fill('lounge', 4)))
  })
  while (results.length === 0) await world.store.read.get('SELECT 1')
  await world.call('DeleteChannel', { ChannelArn: world.channel('lounge'), ChimeBearer: world.user('ana') }, second)
  isDeleted = true
  await Promise.all(sending)
  assert.ok(results.includes('accepted'))
  assert.deepEqual(await world.fill('lounge', 2), ['rejected', 'rejected'])
  const log = await world.store.read.get<{ event_type: string }>(
    'SELECT event_type FROM channel_log WHERE channel_id = $1 ORDER BY seq DESC LIMIT 1',
    await world.channelId('lounge'),
  )
  assert.equal(log?.event_type, 'DELETE_CHANNEL')
})
