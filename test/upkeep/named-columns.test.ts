import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { logKeepMs } from '../../src/upkeep/purge-channel.ts'
import { createStoreFile } from '../support/store-file.ts'
import { World } from './world.ts'

/*
 * A column that names a user or an AppInstance is emptied when that is deleted, or stays for a reason that stands here. The
 * tests put the names into all such columns, delete, and search all tables. tables.test.ts does the same for numbers.
 */

const shown = 'shown with what it made, for as long as that exists'
const history = 'the history of the channel, until its retention or deletion'

const staysOfUser: Record<string, string> = {
  'app_instance_user.app_instance_user_arn': 'messages name their sender by it',
  'channel.created_by_arn': shown,
  'channel.created_by_name': shown,
  'channel_ban.created_by_arn': shown,
  'channel_ban.created_by_name': shown,
  'channel_log.audience_json': history,
  'channel_log.subject': history,
  'channel_membership.invited_by_arn': shown,
  'channel_membership.invited_by_name': shown,
  'channel_message.sender_name': history,
  'channel_moderator.created_by_arn': shown,
  'channel_moderator.created_by_name': shown,
}
const emptiedOfUser = [
  'app_instance_admin.admin_arn',
  'app_instance_user.metadata',
  'app_instance_user.name',
  'tag.resource_arn',
]

const staysOfAppInstance: Record<string, string> = {
  'app_instance_user.app_instance_arn': 'the rows of its users stay, without names',
  'app_instance_user.app_instance_user_arn': 'as above',
  'channel_head.channel_arn': 'a channel that is created again under the ARN continues its numbers',
  'idempotency_token.answer_json': 'until the token expires',
}
const emptiedOfAppInstance = [
  'app_instance.app_instance_arn',
  'app_instance_admin.admin_arn',
  'app_instance_admin.app_instance_arn',
  'channel.app_instance_arn',
  'channel.channel_arn',
  'channel.channel_flow_arn',
  'channel.created_by_arn',
  'channel_ban.created_by_arn',
  'channel_flow.app_instance_arn',
  'channel_flow.channel_flow_arn',
  'channel_log.audience_json',
  'channel_log.subject',
  'channel_membership.invited_by_arn',
  'channel_moderator.created_by_arn',
  'retention.app_instance_arn',
  'tag.resource_arn',
  'work.subject',
]
const withChannel = 'the tests have the ARN of another AppInstance in it; it is purged with its channel'
/** Columns that the tests do not fill. */
const notFilled: Record<string, string> = {
  'app_instance.default_flow_arn': 'deleted with the row of its AppInstance',
  'app_instance.required_flow_arn': 'deleted with the row of its AppInstance',
  'audit.key_name': 'the name of a key, which is deleted with its row after 400 days',
  'audit.scope_arn': 'what operators did stays for 400 days',
  'paused_function.function_name': 'a function belongs to the server',
  'access_key.subject_arn': 'an operator lists and deletes keys; a key whose user is deleted is not found',
  'flow_run.channel_flow_arn': withChannel,
  'flow_step.function_arn': withChannel,
}

const remedy = 'empty the column where its user or AppInstance is deleted, or say here why it stays'

async function allColumns({ store }: World): Promise<[table: string, column: string][]> {
  const rows = await store.read.all<{ table_name: string; column_name: string }>(
    `SELECT sqlite_schema.name AS table_name, info.name AS column_name
     FROM sqlite_schema, pragma_table_info(sqlite_schema.name) AS info
     WHERE sqlite_schema.type = 'table' ORDER BY sqlite_schema.name, info.name`,
  )
  return rows.map(({ table_name, column_name }) => [table_name, column_name])
}

/** Columns that have one of these texts, in any table. */
async function columnsWith(world: World, ...texts: string[]): Promise<string[]> {
  const found: string[] = []
  for (const [table, column] of await allColumns(world)) {
    const conditions = texts.map((_, index) => `instr(${column}, $${index + 1}) > 0`).join(' OR ')
    if ((await world.count(table, conditions, ...texts)) > 0) found.push(`${table}.${column}`)
  }
  return found
}

const processors = [
  {
    Name: 'first',
    Configuration: {
      Lambda: { ResourceArn: 'arn:aws:lambda:us-east-1:111122223333:function:first', InvocationType: 'ASYNC' },
    },
    ExecutionOrder: 1,
    FallbackAction: 'ABORT',
  },
]

/** Ben, whose name is Benedikta, has done or been whatever a user can. */
async function fillAll(world: World): Promise<void> {
  const { appInstanceArn: AppInstanceArn } = world
  const [ana, ben, cleo] = [world.user('ana'), world.user('ben'), world.user('cleo')]
  await world.call('UpdateAppInstanceUser', { AppInstanceUserArn: ben, Name: 'Benedikta', Metadata: 'Benedikta' })
  await world.call('CreateAppInstanceAdmin', { AppInstanceArn, AppInstanceAdminArn: ben })
  const Tags = [{ Key: 'k', Value: 'v' }]
  for (const ResourceARN of [ben, AppInstanceArn]) await world.call('TagResource', { ResourceARN, Tags })
  await world.call('PutAppInstanceRetentionSettings', {
    AppInstanceArn,
    AppInstanceRetentionSettings: { ChannelRetentionSettings: { RetentionDays: 5 } },
  })
  const channel = { AppInstanceArn, ChimeBearer: ben, ChannelId: 'lounge', Name: 'lounge', MemberArns: [ana] }
  const { ChannelArn } = await world.call('CreateChannel', { ...channel, ClientRequestToken: 'one' })
  await world.call('CreateChannelModerator', { ChannelArn, ChimeBearer: ben, ChannelModeratorArn: ana })
  await world.call('CreateChannelBan', { ChannelArn, ChimeBearer: ben, MemberArn: cleo })
  await world.send('lounge', { ChimeBearer: ben, Target: [{ MemberArn: ana }] })
  const { ChannelFlowArn } = await world.call('CreateChannelFlow', {
    AppInstanceArn,
    Name: 'Flow',
    Processors: processors,
  })
  await world.call('AssociateChannelFlow', { ChannelArn, ChimeBearer: ben, ChannelFlowArn })
  await world.fill('lounge', 1, { held: true, sender: 'ben' })
}

async function passAll(world: World): Promise<void> {
  for (let times = 0; times < 4; times += 1) {
    await world.look()
    world.clock.advance(logKeepMs)
  }
  await world.look()
}

async function filledWorld(t: TestContext): Promise<World> {
  const file = await createStoreFile(t)
  const world = await World.open(t, () => file.open())
  await fillAll(world)
  return world
}

const sorted = (...columns: string[]) => columns.toSorted()

test('a deleted user is named only where that has a reason', async (t) => {
  const world = await filledWorld(t)
  const names = [world.user('ben'), 'Benedikta']
  assert.deepEqual(await columnsWith(world, ...names), sorted(...emptiedOfUser, ...Object.keys(staysOfUser)), remedy)
  await world.call('DeleteAppInstanceUser', { AppInstanceUserArn: world.user('ben') })
  await passAll(world)
  assert.deepEqual(await columnsWith(world, ...names), sorted(...Object.keys(staysOfUser)), remedy)
})

test('a deleted AppInstance and its users are named only where that has a reason', async (t) => {
  const world = await filledWorld(t)
  const all = sorted(...emptiedOfAppInstance, ...Object.keys(staysOfAppInstance))
  assert.deepEqual(await columnsWith(world, world.appInstanceArn), all, remedy)
  await world.call('DeleteAppInstance', { AppInstanceArn: world.appInstanceArn })
  await passAll(world)
  const left = await columnsWith(world, world.appInstanceArn, 'Benedikta')
  assert.deepEqual(left, sorted(...Object.keys(staysOfAppInstance)), remedy)
})

test('every column for an ARN or the name of a user is among those that were looked at', async (t) => {
  const world = await filledWorld(t)
  const named = (await allColumns(world))
    .filter(([, column]) => /_arn$|_name$/.test(column))
    .map((pair) => pair.join('.'))
  assert.ok(named.length > 20)
  const known = [...emptiedOfUser, ...emptiedOfAppInstance, ...Object.keys(notFilled)]
  const looked = new Set([...known, ...Object.keys(staysOfUser), ...Object.keys(staysOfAppInstance)])
  assert.deepEqual(
    named.filter((column) => !looked.has(column)),
    [],
    `fill it in fillAll, and ${remedy}`,
  )
})
