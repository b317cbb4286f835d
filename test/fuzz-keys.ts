import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseArgs } from 'node:util'
import { fuzzKeys } from './keys/fuzz/fuzz-keys.ts'

/*
 * `node test/fuzz-keys.ts --requests 20000 [--seed N]`: looks for a request that reads or changes something beyond the
 * scope of the key that signs it.
 */
const { values } = parseArgs({ options: { requests: { type: 'string', default: '20000' }, seed: { type: 'string' } } })

test('no request goes beyond its key', async () => {
  const seed = values.seed === undefined ? undefined : Number(values.seed)
  const { found } = await fuzzKeys({ requests: Number(values.requests), operationsMin: 50, seed })
  assert.deepEqual(found, [])
})
