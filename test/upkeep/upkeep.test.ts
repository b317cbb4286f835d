import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StoreUnavailable } from '../../src/store/store.ts'
import { workKinds } from '../../src/store/work.ts'
import { createKinds } from '../../src/upkeep/kinds.ts'
import { aroundStore } from '../support/around-store.ts'
import { tokenRow } from '../support/rows.ts'
import { until } from '../support/until.ts'
import { onBothEngines, onTwoNodes, type World } from './world.ts'

const tokens = (world: World) => world.count('idempotency_token', `token_key LIKE 'old %' OR token_key LIKE 'new %'`)

async function addTokens(world: World, name: string, count: number, expires_at: number): Promise<void> {
  await world.store.transaction(async (transaction) => {
    for (let index = 0; index < count; index += 1) {
      await transaction.insert('idempotency_token', tokenRow({ token_key: `${name} ${index}`, expires_at }))
    }
  })
}

onBothEngines('work about the whole store is repeated after its interval, on one node', async (world) => {
  await addTokens(world, 'old', 600, world.clock.now())
  await addTokens(world, 'new', 3, world.clock.now() + 3_600_000)
  await world.look()
  assert.equal(await tokens(world), 3)
  world.clock.advance(3_599_999)
  await world.look()
  assert.equal(await tokens(world), 3)
  world.clock.advance(1)
  await world.look()
  assert.equal(await tokens(world), 0)
  assert.equal(await world.count('work', `kind = 'forget-tokens'`), 1)
})

onBothEngines('a kind of work does not wait until another has ended', async (world) => {
  await world.createChannel('long')
  await world.createChannel('lounge')
  await world.fill('long', 700)
  await world.deleteChannel('long')
  await world.call('DeleteAppInstanceUser', { AppInstanceUserArn: world.user('ben') })
  await world.lookUntil('purge-channel', 2)
  assert.ok((await world.count('channel_message')) > 0, 'the purge is not over')
  assert.equal(await world.count('membership_view', 'member_id = $1', await world.userId('ben')), 0)
})

onBothEngines('a running node polls once a second', async (world) => {
  const upkeep = world.upkeep()
  upkeep.start()
  await upkeep.look()
  await world.createChannel('lounge')
  await world.fill('lounge', 3)
  await world.deleteChannel('lounge')
  world.clock.advance(1_000)
  await until(async () => (await world.count('channel_message')) === 0)
  await upkeep.close()
})

onBothEngines('work waits for the next poll while the store is unavailable', async (world) => {
  await world.createChannel('lounge')
  await world.fill('lounge', 3)
  await world.deleteChannel('lounge')
  let isAway = true
  const store = aroundStore(world.store, {
    transaction: async (...transaction) => {
      if (isAway) throw new StoreUnavailable('away')
      return world.store.transaction(...transaction)
    },
  })
  const upkeep = world.upkeep({ store })
  await upkeep.look()
  assert.equal(await world.count('channel_message'), 3)
  isAway = false
  await upkeep.look()
  assert.equal(await world.count('channel_message'), 0)
})

onTwoNodes('each node does other work of the same kind', async (world, second) => {
  for (const id of ['node-1', 'node-2']) await world.register(id)
  for (const id of ['one', 'two']) {
    await world.createChannel(id)
    await world.fill(id, 300)
    await world.deleteChannel(id)
  }
  await world.lookUntil('purge-channel', 1)
  await world.lookUntil('purge-channel', 1, { id: 'node-2', store: second })
  assert.deepEqual((await world.owners('purge-channel')).toSorted(), ['node-1', 'node-2'])
})

test('every kind of work has a file', () => {
  const names = createKinds(() => {}).map(({ kind }) => kind)
  assert.deepEqual(names.toSorted(), [...workKinds].toSorted(), 'src/upkeep/kinds.ts and src/store/work.ts differ')
})
