import assert from 'node:assert/strict'
import { logKeepMs } from '../../src/upkeep/purge-channel.ts'
import { listenTo } from '../store/store-suite.ts'
import { onBothEngines, type World } from './world.ts'

const forbidden = { code: 'Forbidden' }
const unauthorized = { code: 'Unauthorized' }
const deleteAppInstance = (world: World) => world.call('DeleteAppInstance', { AppInstanceArn: world.appInstanceArn })

onBothEngines('no user can act in a deleted AppInstance, even before its purge', async (world) => {
  const ChannelArn = await world.createChannel('lounge')
  const AppInstanceArn = world.appInstanceArn
  await deleteAppInstance(world)
  const ChimeBearer = world.user('ana')
  await assert.rejects(deleteAppInstance(world), forbidden)
  await assert.rejects(world.call('DescribeAppInstance', { AppInstanceArn }), forbidden)
  await assert.rejects(world.call('DescribeAppInstanceUser', { AppInstanceUserArn: ChimeBearer }), forbidden)
  await assert.rejects(world.call('DescribeChannel', { ChannelArn, ChimeBearer }), unauthorized)
  await assert.rejects(world.send('lounge'), unauthorized)
  await assert.rejects(world.createUser('dora'), forbidden)
  await assert.rejects(world.createChannel('another'), unauthorized)
  assert.deepEqual((await world.call('ListAppInstances', {})).AppInstances, [])
})

onBothEngines('a deleted AppInstance leaves head rows, and users without a name', async (world) => {
  const AppInstanceArn = world.appInstanceArn
  const flow = { AppInstanceArn, Name: 'Flow', Tags: [{ Key: 'k', Value: 'v' }] }
  const Processors = [
    {
      Name: 'first',
      Configuration: {
        Lambda: { ResourceArn: 'arn:aws:lambda:us-east-1:111122223333:function:first', InvocationType: 'ASYNC' },
      },
      ExecutionOrder: 1,
      FallbackAction: 'ABORT',
    },
  ]
  await world.call('CreateChannelFlow', { ...flow, Processors })
  await world.call('CreateAppInstanceAdmin', { AppInstanceArn, AppInstanceAdminArn: world.user('ana') })
  await world.call('TagResource', { ResourceARN: AppInstanceArn, Tags: flow.Tags })
  const ids = Array.from({ length: 30 }, (_, index) => `channel-${index}`)
  for (const id of ids) await world.createChannel(id, { Tags: flow.Tags })
  await world.fill('channel-0', 300)
  await world.fill('channel-1', 3, { held: true })
  const told = listenTo(world.store)
  await deleteAppInstance(world)
  await world.look()
  const ended = told.flatMap(({ events }) => events).filter(({ eventType }) => eventType === 'DELETE_CHANNEL')
  assert.deepEqual(
    ended.map(({ channelArn }) => channelArn),
    ids.map((id) => world.channel(id)),
  )
  assert.deepEqual(world.closed, [], 'the hubs have a second to deliver the events')
  world.clock.advance(1_000)
  await world.look()
  assert.deepEqual(world.closed, [world.user('ana'), world.user('ben'), world.user('cleo')])
  for (let times = 0; times < 3; times += 1) {
    world.clock.advance(logKeepMs)
    await world.look()
  }
  const tables = await world.store.read.all<{ name: string; names: number }>(
    `SELECT 'channel_head' AS name, count(*) AS names FROM channel_head UNION ALL
     SELECT 'app_instance_user', count(*) FROM app_instance_user WHERE name = '""' AND deleted_at IS NOT NULL`,
  )
  assert.deepEqual(
    tables.map(({ name, names }) => [name, names]),
    [
      ['channel_head', 30],
      ['app_instance_user', 3],
    ],
  )
  const emptied = ['app_instance', 'app_instance_admin', 'tag', 'channel_flow', 'channel', 'channel_membership']
  for (const table of [...emptied, 'channel_moderator', 'channel_message', 'flow_run', 'flow_step', 'channel_log']) {
    assert.equal(await world.count(table), 0, table)
  }
  assert.equal(await world.count('work', `subject <> ''`), 0)
})

onBothEngines('the deletion of an AppInstance that is interrupted continues from its cursor', async (world) => {
  for (let index = 0; index < 30; index += 1) await world.createChannel(`channel-${index}`)
  await deleteAppInstance(world)
  await world.lookUntil('remove-app-instance', 1)
  assert.equal(await world.count('channel_head', 'deleted_at IS NULL'), 5)
  await world.look()
  assert.equal(await world.count('channel_head', 'deleted_at IS NULL'), 0)
})

onBothEngines('another AppInstance keeps everything', async (world) => {
  await world.createChannel('lounge')
  const other = await world.call('CreateAppInstance', { Name: 'Other' })
  const { appInstanceArn } = world
  await world.call('DeleteAppInstance', { AppInstanceArn: other.AppInstanceArn })
  await world.look()
  assert.equal(await world.count('app_instance', 'app_instance_arn = $1', appInstanceArn), 1)
  assert.deepEqual(await world.fill('lounge', 1), ['accepted'])
  assert.deepEqual(world.closed, [])
})
