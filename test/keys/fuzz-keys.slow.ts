import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { fuzzKeys } from './fuzz/fuzz-keys.ts'
import type { TriedKey } from './fuzz/tried-keys.ts'

test('no request of 20,000 goes beyond its key', { timeout: 900_000 }, async () => {
  const { found } = await fuzzKeys({ requests: 20_000, operationsMin: 60 })
  assert.deepEqual(found, [])
})

/** What a run finds with one key alone, which is said to be less than it is. */
async function foundOf(actual: string, said: Partial<TriedKey>): Promise<string> {
  const misjudge = (keys: TriedKey[]) => {
    const planted = { ...keys.find(({ name }) => name === actual)!, ...said, name: 'planted' }
    return Array<TriedKey>(8).fill(planted)
  }
  return (await fuzzKeys({ requests: 300, seed: 1, misjudge })).found.join('\n')
}

suite('the fuzzer finds a key that may', () => {
  test('read what it may not', async () => {
    assert.match(await foundOf('viewer', { reads: ['A:ann'] }), /^planted reads .*B:/m)
  })

  test('change what its user does not own', async () => {
    assert.match(await foundOf('operator of A', { writes: ['A:ann', 'A:ann held'] }), /^planted changes .*A:/m)
  })

  test('change another AppInstance', async () => {
    assert.match(await foundOf('user of B', { writes: ['A:ann'] }), /^planted changes .*B:ann/m)
  })

  test('connect as another user', async () => {
    assert.match(await foundOf('operator of A', { connects: [] }), /^planted connects as /m)
  })
})
