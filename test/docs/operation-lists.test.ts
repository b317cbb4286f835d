import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listedFiles, readPage, withLists } from './operation-lists.ts'

for (const file of listedFiles) {
  test(`${file} says which operations there are`, () =>
    assert.ok(readPage(file) === withLists(file), `${file} is stale: run \`npm run docs:lists\``))
}
