import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { compileMaker, rowMaker } from '../../src/store/row-maker.ts'
import { createStoreFile } from '../support/store-file.ts'

test('a row has its columns in their order, each with its value', () => {
  const columns = Array.from({ length: 60 }, (_, index) => `column_${index}`)
  const row = rowMaker(columns)(columns.map((_, index) => index))
  assert.deepEqual(
    Object.entries(row),
    [...columns.entries()].map(([index, column]) => [column, index]),
  )
})

test('a column may have any name', () => {
  const names = ['count(*)', `it's`, 'a "name"', '`$`', '\\', 'class', '\u2028']
  assert.deepEqual(Object.keys(rowMaker(names)(names)), names)
})

test('the members of an object are taken from another one', () => {
  const make = compileMaker<object, object>([
    ['channel_id', 'flow_step__channel_id'],
    ['state', 'flow_step__state'],
  ])
  assert.deepEqual(make({ flow_step__state: 'AWAITING', flow_step__channel_id: 7 }), {
    channel_id: 7,
    state: 'AWAITING',
  })
})

test('a statement has all columns of its table, even after another process has added one', async (t) => {
  const file = await createStoreFile(t)
  const store = await file.open()
  const read = () => store.read.all('SELECT tag.*, 1 AS one FROM tag')
  await store.write(`INSERT INTO tag VALUES ('arn', 'key', 'value')`)
  assert.deepEqual(await read(), [{ resource_arn: 'arn', key: 'key', value: 'value', one: 1 }])
  using stranger = new DatabaseSync(file.path)
  stranger.exec(`ALTER TABLE tag ADD COLUMN more TEXT DEFAULT 'm'`)
  assert.deepEqual(await read(), [{ resource_arn: 'arn', key: 'key', value: 'value', more: 'm', one: 1 }])
})
