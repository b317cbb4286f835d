import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Fault, keptNode, planFaults } from './fault-plan.ts'
import { randomFrom } from './random.ts'
import { takeOvers } from './take-over.ts'

const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 })

const planOf = (seed: number) => planFaults(60, 3, randomFrom(seed))
const endsNode = ({ fault }: Fault) => fault === 'kill' || fault === 'rolling restart'

test('a plan ends a node every few seconds, and never one while another is away', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const ends = planOf(seed).filter(endsNode)
      assert.ok(ends.length >= 5, `only ${ends.length} kills and restarts`)
      for (const [index, { atMs, forMs }] of ends.entries()) {
        const next = ends[index + 1]
        assert.ok(!next || atMs + forMs < next.atMs + 1, 'one is back before the next is ended')
        assert.ok(!next || next.atMs - atMs <= 18_000, `nothing from ${atMs} to ${next?.atMs}`)
      }
    }),
  )
})

test('a plan kills the kept node after the rolling restart, and not before', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const ends = planOf(seed).filter(endsNode)
      const nodes = ends.map((end) => (end.fault === 'kill' ? end.node : undefined))
      const restart = nodes.indexOf(undefined)
      assert.ok(restart > 0)
      assert.ok(!nodes.slice(0, restart).includes(keptNode))
      assert.equal(nodes[restart + 1], keptNode)
    }),
  )
})

test('a plan has each other fault once, within the time, and is the same for its seed', () => {
  const plan = planOf(7)
  assert.deepEqual(planOf(7), plan)
  assert.notDeepEqual(planOf(8), plan)
  for (const fault of [/freeze/, /PostgreSQL/, /NATS/, /rolling/]) {
    assert.equal(plan.filter((one) => fault.test(one.fault)).length, 1, String(fault))
  }
  assert.ok(plan.every(({ atMs, forMs }) => atMs + forMs < 60_000 + 7_000))
})

test('a take-over is from the kill to the next time that a processor is given the same', () => {
  const [dead, other] = [100, 200]
  const turns = [
    { phase: 'begin', callbackId: 'done', pid: dead, at: 10 },
    { phase: 'end', callbackId: 'done', pid: dead, at: 20 },
    { phase: 'begin', callbackId: 'in hand', pid: dead, at: 30 },
    { phase: 'begin', callbackId: 'lost', pid: dead, at: 35 },
    { phase: 'begin', callbackId: 'last act', pid: dead, at: 36 },
    { phase: 'begin', callbackId: 'of another', pid: other, at: 40 },
    { phase: 'begin', callbackId: 'in hand', pid: other, at: 3_050 },
    { phase: 'begin', callbackId: 'in hand', pid: other, at: 4_000 },
  ] as const
  const kill = { pid: dead, at: 50 }
  const steps = [
    { callbackId: 'last act', decidedAt: 49 },
    { callbackId: 'in hand', decidedAt: 3_100 },
    { callbackId: 'lost', decidedAt: undefined },
  ]
  const lost = { kill, callbackId: 'lost', afterMs: undefined, undisturbedMs: undefined }
  assert.deepEqual(takeOvers([kill], [...turns], steps, []), [
    { kill, callbackId: 'in hand', afterMs: 3_000, undisturbedMs: 3_000 },
    lost,
  ])
  const troubles = [
    { from: 40, to: 45 },
    { from: 1_050, to: 2_050 },
    { from: 3_060, to: 3_070 },
  ]
  assert.deepEqual(takeOvers([kill], [...turns], steps, troubles), [
    { kill, callbackId: 'in hand', afterMs: 3_000, undisturbedMs: 1_000 },
    lost,
  ])
})
