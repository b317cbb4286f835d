import assert from 'node:assert/strict'
import { listenTo } from '../store/store-suite.ts'
import { onBothEngines, onTwoNodes, type World } from './world.ts'

const deleteUser = (world: World, id: string) =>
  world.call('DeleteAppInstanceUser', { AppInstanceUserArn: world.user(id) })

const row = (world: World, userId: number) =>
  world.store.read.get<{ name: string; metadata: string | null; memberships: number; deleted_at: number | null }>(
    'SELECT name, metadata, memberships, deleted_at FROM app_instance_user WHERE user_id = $1',
    userId,
  )

onBothEngines(
  'a deleted user cannot call or send, and is in no list, even before its memberships are removed',
  async (world) => {
    await world.createChannel('lounge')
    const ben = world.user('ben')
    await world.call('CreateAppInstanceAdmin', { AppInstanceArn: world.appInstanceArn, AppInstanceAdminArn: ben })
    await world.call('TagResource', { ResourceARN: ben, Tags: [{ Key: 'k', Value: 'v' }] })
    await deleteUser(world, 'ben')
    await assert.rejects(world.send('lounge', { ChimeBearer: ben }), { code: 'Unauthorized' })
    assert.deepEqual(await world.fill('lounge', 1, { sender: 'ben' }), ['rejected'])
    await assert.rejects(world.call('DescribeAppInstanceUser', { AppInstanceUserArn: ben }), { code: 'Forbidden' })
    await assert.rejects(deleteUser(world, 'ben'), { code: 'Forbidden' })
    const { AppInstanceUsers } = await world.call('ListAppInstanceUsers', { AppInstanceArn: world.appInstanceArn })
    assert.deepEqual(
      AppInstanceUsers.map(({ AppInstanceUserArn }: { AppInstanceUserArn: string }) => AppInstanceUserArn),
      [world.user('ana'), world.user('cleo')],
    )
    assert.equal(await world.count('app_instance_admin'), 0)
    assert.equal(await world.count('tag'), 0)
    assert.equal((await world.store.read.get<{ users: number }>('SELECT users FROM app_instance'))?.users, 2)
  },
)

onBothEngines(
  'every channel of a deleted user is notified of its leave, and then its sessions are closed',
  async (world) => {
    const ids = Array.from({ length: 60 }, (_, index) => `channel-${index}`)
    for (const id of ids)
      await world.createChannel(id, id === 'channel-3' ? { ModeratorArns: [world.user('ben')] } : {})
    await world.fill('channel-0', 1, { sender: 'ben' })
    await world.deleteChannel('channel-1')
    const userId = await world.userId('ben')
    const told = listenTo(world.store)
    await deleteUser(world, 'ben')
    await world.look()
    const events = told.flatMap((committed) => committed.events)
    const left = events.filter(({ eventType }) => eventType === 'DELETE_CHANNEL_MEMBERSHIP')
    assert.deepEqual(
      left.map(({ channelArn, subject }) => [channelArn, subject]),
      ids.filter((id) => id !== 'channel-1').map((id) => [world.channel(id), world.user('ben')]),
    )
    for (const [table, column] of [
      ['channel_membership', 'member_id'],
      ['channel_moderator', 'moderator_id'],
    ] as const) {
      assert.equal(await world.count(table, `${column} = $1`, userId), 0, table)
    }
    assert.equal((await row(world, userId))?.memberships, 0)
    assert.deepEqual(world.closed, [], 'the hubs have a second to deliver the events')
    world.clock.advance(1_000)
    await world.look()
    assert.deepEqual(world.closed, [world.user('ben')])
  },
)

onBothEngines('the row of a deleted user stays for its messages, without its name', async (world) => {
  await world.createChannel('lounge')
  await world.fill('lounge', 1, { sender: 'ben' })
  const userId = await world.userId('ben')
  await deleteUser(world, 'ben')
  await world.look()
  assert.equal((await row(world, userId))?.name, '"ben"')
  world.clock.advance(1_000)
  await world.look()
  assert.equal((await row(world, userId))?.name, '""')
  assert.equal(await world.count('work', `kind = 'remove-user'`), 0)
  const ChimeBearer = world.user('ana')
  const list = await world.call('ListChannelMessages', { ChannelArn: world.channel('lounge'), ChimeBearer })
  assert.deepEqual(list.ChannelMessages[0].Sender, { Arn: world.user('ben'), Name: 'Ana' }, 'as the row had it')
})

onBothEngines('a user that is created again meanwhile keeps all of its rows', async (world) => {
  for (const id of ['one', 'two']) await world.createChannel(id)
  const first = await world.userId('ben')
  await deleteUser(world, 'ben')
  await world.createUser('ben')
  const second = await world.userId('ben')
  assert.notEqual(second, first)
  const ChannelArn = world.channel('one')
  const added = { ChannelArn, ChimeBearer: world.user('ana'), MemberArn: world.user('ben'), Type: 'DEFAULT' }
  await world.call('CreateChannelMembership', added)
  assert.deepEqual(await world.fill('one', 1, { sender: 'ben' }), ['accepted'])
  await world.look()
  assert.equal(await world.count('channel_membership', 'member_id = $1', first), 0)
  assert.equal(await world.count('channel_membership', 'member_id = $1', second), 1)
  assert.deepEqual([(await row(world, first))?.memberships, (await row(world, second))?.memberships], [0, 1])
})

onBothEngines('the removal of a user that is interrupted continues from its cursor', async (world) => {
  const ids = Array.from({ length: 60 }, (_, index) => `channel-${index}`)
  for (const id of ids) await world.createChannel(id)
  const told = listenTo(world.store)
  await deleteUser(world, 'ben')
  await world.lookUntil('remove-user', 1)
  assert.equal(await world.count('channel_membership', 'member_id = $1', await world.userId('ben')), 35)
  await world.look()
  const left = told.flatMap(({ events }) => events).map(({ channelArn }) => channelArn)
  assert.deepEqual(left.toSorted(), ids.map((id) => world.channel(id)).toSorted(), 'each channel hears it once')
})

onTwoNodes(
  'memberships are removed while members are added and removed, and messages are sent',
  async (world, second) => {
    const ids = ['one', 'two', 'three']
    for (const id of ids) await world.createChannel(id)
    const ana = world.user('ana')
    let isOver = false
    const sending = ids.map(async (id) => {
      while (!isOver) assert.deepEqual(new Set(await world.fill(id, 2)), new Set(['accepted']))
    })
    const membership = { MemberArn: world.user('cleo'), ChimeBearer: ana }
    const moving = ids.map(async (id) => {
      const ChannelArn = world.channel(id)
      for (let times = 0; times < 5; times += 1) {
        await world.call('CreateChannelMembership', { ...membership, ChannelArn, Type: 'DEFAULT' })
        await world.call('DeleteChannelMembership', { ...membership, ChannelArn })
      }
    })
    await deleteUser(world, 'ben')
    await world.upkeep({ store: second }).look()
    isOver = true
    await Promise.all([...sending, ...moving])
    const userId = await world.userId('ben')
    assert.equal(await world.count('channel_membership', 'member_id = $1', userId), 0)
    assert.equal((await row(world, userId))?.memberships, 0)
    assert.equal((await row(world, await world.userId('cleo')))?.memberships, 0)
  },
)
