import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzzKeys } from './fuzz/fuzz-keys.ts'

test('no request of 20,000 goes beyond its key', { timeout: 900_000 }, async () => {
  const { found } = await fuzzKeys({ requests: 20_000, operationsMin: 60 })
  assert.deepEqual(found, [])
})
