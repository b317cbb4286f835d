import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { fewOfAppInstance } from '../../src/api/app-instances/DeleteAppInstance.ts'
import { ban, moderator } from '../../src/api/channel-role.ts'
import { channelLog, channelTables } from '../../src/upkeep/channel-rows.ts'

/*
 * A new table that no purge empties would keep deleted content.
 */

const schema = readFileSync(join(import.meta.dirname, '../../src/store/migrations/001-schema.sql'), 'utf8')
const database = new DatabaseSync(':memory:')
database.exec(schema)

function tablesWith(column: string): string[] {
  const text = `SELECT sqlite_schema.name FROM sqlite_schema, pragma_table_info(sqlite_schema.name) AS info
    WHERE sqlite_schema.type = 'table' AND info.name = ? ORDER BY sqlite_schema.name`
  return database
    .prepare(text)
    .all(column)
    .map(({ name }) => String(name))
}

test('a purge of a channel empties every table that has rows of it', () => {
  const purged = [...channelTables, channelLog].map(({ table }) => table)
  const found = tablesWith('channel_id').filter((table) => table !== 'channel_head')
  assert.deepEqual(purged.toSorted(), found, 'add the table to src/upkeep/channel-rows.ts')
})

test('the deletion of an AppInstance empties every table that has rows of it, or marks its users', () => {
  const deleted = [...fewOfAppInstance, 'channel', 'app_instance_user']
  const remedy = 'add the table to src/api/app-instances/DeleteAppInstance.ts, or to src/upkeep/remove-app-instance.ts'
  assert.deepEqual(deleted.toSorted(), tablesWith('app_instance_arn'), remedy)
})

test('the removal of a user covers every table that has its number', () => {
  // A key whose user is deleted is not found.
  const keys = ['access_key.user_id']
  const history = ['channel_message.sender_id', 'channel_message.target_id', 'app_instance_user.user_id']
  const removed = [
    'channel_membership.member_id',
    ...[moderator, ban].map(({ table, userColumn }) => `${table}.${userColumn}`),
  ]
  const others = [
    'access_key_id',
    'callback_id',
    'previous_callback_id',
    'channel_id',
    'message_id',
    'node_id',
    'request_id',
  ]
  const columns = database
    .prepare(
      `SELECT sqlite_schema.name AS name, info.name AS of FROM sqlite_schema, pragma_table_info(sqlite_schema.name) AS info
       WHERE sqlite_schema.type = 'table' AND info.name LIKE '%\\_id' ESCAPE '\\'`,
    )
    .all()
    .filter(({ of }) => !others.includes(String(of)))
    .map(({ name, of }) => `${name}.${of}`)
  assert.deepEqual(
    columns.toSorted(),
    [...keys, ...history, ...removed].toSorted(),
    'add the table to src/upkeep/remove-user.ts',
  )
})

test('no statement reads the rows of deleted channels, which exist until their purge', () => {
  const mayRead = [
    // Together with the head.
    'src/api/access.ts',
    'src/api/channel-flows/flow-coverage.ts',
    // By the number of a channel that the caller has found.
    'src/api/channel-flows/channel-flow.ts',
  ]
  const root = join(import.meta.dirname, '../..')
  const files = globSync('src/{api,events,flow,session}/**/*.ts', { cwd: root })
  assert.ok(files.length > 100)
  const readers = files.filter((file) => /\b(FROM|JOIN)\s+channel\b(?!_)/.test(readFileSync(join(root, file), 'utf8')))
  assert.deepEqual(readers.toSorted(), mayRead.toSorted(), 'read channel_view instead')
})

test('a purge continues in each table after its cursor, without reading the rows before it', () => {
  for (const { table, key } of [...channelTables, channelLog].filter(({ table }) => table !== 'channel')) {
    const behind = `(${key.join(', ')}) > (${key.map(() => 0).join(', ')})`
    const text = `SELECT 1 FROM ${table} WHERE channel_id = 0 AND ${behind} ORDER BY ${key.join(', ')} LIMIT 1`
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${text}`).all()
    const details = plan.map(({ detail }) => String(detail)).join()
    assert.match(details, /^SEARCH \w+ USING (COVERING )?INDEX \w+ \(channel_id=\? AND .+>/, table)
    assert.doesNotMatch(details, /TEMP B-TREE/, table)
  }
})
