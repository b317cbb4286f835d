import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzzKeys } from './fuzz/fuzz-keys.ts'

test('no request of 500 goes beyond its key', async () => {
  const { found } = await fuzzKeys({ requests: 500, operationsMin: 50 })
  assert.deepEqual(found, [])
})
