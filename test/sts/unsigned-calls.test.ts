import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Overloaded, UnsignedCalls } from '../../src/sts/unsigned-calls.ts'
import { ManualClock } from '../support/manual-clock.ts'

test('calls without a signature run four at a time, each permit rests, and too many that wait are rejected', async () => {
  const clock = new ManualClock()
  const warnings: object[] = []
  const calls = new UnsignedCalls({ clock, log: { warn: (facts) => void warnings.push(facts) } })
  let [begun, rejected] = [0, 0]
  const all = Array.from({ length: 4 + 1_024 + 5 }, () =>
    calls
      .run(async () => {
        begun += 1
      })
      .catch((error: unknown) => {
        assert.ok(error instanceof Overloaded)
        rejected += 1
      }),
  )
  await nextTurn()
  assert.deepEqual([begun, rejected], [4, 5])
  assert.deepEqual(warnings, [{ rejected: 1 }])
  clock.advance(9)
  await nextTurn()
  assert.equal(begun, 4)
  clock.advance(1)
  await nextTurn()
  assert.equal(begun, 8)
  for (let round = 2; round <= 256; round += 1) {
    clock.advance(10)
    await nextTurn()
  }
  await Promise.all(all)
  assert.equal(begun, 4 + 1_024)
  clock.advance(60_000)
  assert.deepEqual(warnings.slice(1), [{ rejected: 4 }])
  await calls.run(async () => {})
})

test('a call that fails gives its permit back', async () => {
  const clock = new ManualClock()
  const calls = new UnsignedCalls({ clock, log: { warn: () => {} } })
  for (let call = 0; call < 8; call += 1) {
    const failing = calls.run(async () => {
      throw new Error('no')
    })
    await assert.rejects(failing, { message: 'no' })
    clock.advance(10)
  }
})
