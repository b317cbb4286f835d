import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { judged, verdictOf } from '../../bench/bars.ts'
import { quantile, Results } from '../../bench/figures.ts'
import { readOptions } from '../../bench/options.ts'
import { floorSetup, flowCase, setupName } from '../../bench/parts/flow.ts'
import { barTable } from '../../bench/table.ts'

suite('figures of the benchmarks', () => {
  test('a quantile falls between two values', () => {
    assert.equal(quantile([1, 2, 3, 4], 0.5), 2.5)
    assert.equal(quantile([1, 2, 3, 4], 1), 4)
    assert.equal(quantile([7], 0.99), 7)
  })

  test('a bar says whether it was reached, from either side', () => {
    const [atLeast, atMost] = (['at least', 'at most'] as const).map((limit) => ({
      what: '',
      limit,
      bar: 2,
      wish: limit === 'at least' ? 3 : 1,
      measured: () => [],
    }))
    assert.deepEqual(
      [1, 2, 3].map((median) => verdictOf(atLeast!, { median })),
      ['short', 'passes', 'wish'],
    )
    assert.deepEqual(
      [1, 2, 3].map((median) => verdictOf(atMost!, { median })),
      ['wish', 'passes', 'short'],
    )
  })

  test('a ratio is taken within each round, and what was not measured has no row', () => {
    const results = new Results()
    // A machine that was half as quick in the second round.
    for (const [floor, here] of [
      [1000, 500],
      [500, 250],
    ] as const) {
      results.add(flowCase(floorSetup, 32), { 'flows/s': floor })
      results.add(flowCase(setupName('SQLite', 1), 32), { 'flows/s': here })
    }
    const machine = { processors: '2', loadBefore: 0, node: 'v26', onDisk: true }
    const options = { seconds: 3, rounds: 2, quick: false, against: undefined }
    const record = { at: '', commit: '', machine, options, parts: { flow: results.summary() } }
    const [only, ...others] = judged(record)
    assert.equal(others.length, 0)
    assert.deepEqual(only?.measured, { median: 0.5, min: 0.5, max: 0.5, values: [0.5, 0.5] })
    assert.match(barTable(record) ?? '', /32 in flight .*at least 0\.4 .*0\.6 .*0\.50 .*passes/)
  })
})

suite('options of the benchmarks', () => {
  test('all parts run unless some are named, and a quick run is short', () => {
    const { parts, seconds, rounds } = readOptions(['--quick'], ['flow', 'start'])
    assert.deepEqual({ parts, seconds, rounds }, { parts: ['flow', 'start'], seconds: 0.5, rounds: 1 })
    assert.deepEqual(readOptions(['start'], ['flow', 'start']).parts, ['start'])
  })

  test('a mistake is told with what would be right', () => {
    assert.throws(() => readOptions(['flwo'], ['flow']), /there is no part flwo: it is all, flow/)
    assert.throws(() => readOptions(['--seconds', 'x'], ['flow']), /--seconds must be a number above 0, not "x"/)
    assert.throws(() => readOptions(['--only', 'SQLite', '--commit'], ['flow']), /--commit keeps whole runs/)
    assert.throws(() => readOptions(['--peer', 'kafka'], ['flow']), /it is bullmq or restate/)
  })
})
