import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { deriveLimits } from '../../src/http/connection-limits.ts'

const wanted = { connections: undefined, connectionsPerAddress: 128, descriptorReserve: 128 }

suite('limits on connections', () => {
  const cases: [what: string, set: object, limit: number, expected: object][] = [
    ['take what the reserve leaves', {}, 4096, { all: 3938, perAddress: 128, reserve: 128 }],
    [
      'have a maximum where descriptors have none',
      {},
      Number.POSITIVE_INFINITY,
      { all: 65_536, perAddress: 128, reserve: 128 },
    ],
    [
      'are as they are set',
      { connections: 1000, connectionsPerAddress: 200 },
      4096,
      { all: 1000, perAddress: 200, reserve: 128 },
    ],
    ['give an address a quarter at most', { connections: 400 }, 4096, { all: 400, perAddress: 100, reserve: 128 }],
    ['leave half to connections where there is little', {}, 130, { all: 50, perAddress: 12, reserve: 50 }],
    ['are one at least', {}, 20, { all: 1, perAddress: 1, reserve: 1 }],
  ]
  for (const [what, set, limit, expected] of cases) {
    test(what, () => assert.deepEqual(deriveLimits({ ...wanted, ...set }, { limit, open: 30 }).limits, expected))
  }

  test('are reduced, with a warning, where the setting asks for more than descriptors allow', () => {
    const { limits, warnings } = deriveLimits({ ...wanted, connections: 5000 }, { limit: 4096, open: 30 })
    assert.equal(limits.all, 3938)
    assert.match(
      warnings.join(),
      /^5000 connections are set, but file descriptors allow 3938: .*ulimit -n.*LimitNOFILE=/,
    )
  })

  test('come with a warning where they are low, but not where they were set so', () => {
    const { warnings } = deriveLimits(wanted, { limit: 400, open: 30 })
    assert.match(warnings.join(), /^file descriptors allow no more than 242 connections: .*ulimit -n/)
    assert.deepEqual(deriveLimits({ ...wanted, connections: 100 }, { limit: 400, open: 30 }).warnings, [])
    assert.deepEqual(deriveLimits(wanted, { limit: 1024, open: 30 }).warnings, [])
  })
})
