import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { QueuedStep } from '../../src/flow/step-lanes.ts'
import { type QueueLimits, queueLimits, StepQueue } from '../../src/flow/step-queue.ts'

/*
 * Functions share the memory of the queue: the steps of some functions never exclude those of another one.
 */

/** A queue whose steps belong to a function and a channel of it. */
class Stage {
  readonly queue: StepQueue<QueuedStep>
  #order = 0

  constructor(limits: Partial<QueueLimits> = {}) {
    this.queue = new StepQueue({ ...queueLimits, ...limits })
  }

  newStep(functionName: string, channel: number): QueuedStep {
    this.#order += 1
    const channelArn = `${functionName} ${channel}`
    return { functionName, functionArn: functionName, channelArn, channelId: 0, order: this.#order, dueAt: this.#order }
  }

  /** Adds one step to each of so many channels. Returns how many are in memory. */
  add(functionName: string, channels: number): number {
    let added = 0
    for (let channel = 0; channel < channels; channel += 1) {
      if (this.queue.add(this.newStep(functionName, channel))) added += 1
    }
    return added
  }

  /** The step that is taken while only this function has a place. */
  takeOf(functionName: string): QueuedStep | undefined {
    return this.queue.take((name) => (name === functionName ? 1 : 0))
  }

  /** Claims a channel, and fills what it has room for. */
  refill(): string | undefined {
    const claim = this.queue.claim()
    if (!claim) return undefined
    const [functionName = '', channel] = claim.channelArn.split(' ')
    const steps = Array.from({ length: claim.stepsMax }, () => this.newStep(functionName, Number(channel)))
    this.queue.refill(claim, steps, undefined)
    return functionName
  }

  waiting(functionName: string): number {
    return this.queue.counts.find(({ processor }) => processor === functionName)?.waiting ?? 0
  }
}

test('12,000 messages of a function that is stuck, in as many channels, leave room for another function', () => {
  const stage = new Stage()
  assert.equal(stage.add('stuck', 12_000), 5_000)
  assert.equal(stage.add('healthy', 1), 1)
  assert.equal(stage.takeOf('healthy')?.functionName, 'healthy')
})

test('157 channels with as many messages as a channel may have leave room as well', () => {
  const stage = new Stage()
  for (let count = 0; count < queueLimits.channelStepsMax; count += 1) stage.add('stuck', 157)
  assert.equal(stage.add('healthy', 1), 1)
  assert.equal(stage.takeOf('healthy')?.functionName, 'healthy')
})

test('a function with parked steps is refilled beside a stuck one, round-robin', () => {
  const stage = new Stage({ stepsMax: 12, channelStepsMax: 1 })
  assert.deepEqual([stage.add('stuck', 100), stage.add('healthy', 20)], [6, 2])
  for (let count = 0; count < 2; count += 1) assert.ok(stage.takeOf('healthy'))
  assert.deepEqual(
    [stage.refill(), stage.refill(), stage.refill()],
    ['healthy', 'healthy', undefined],
    'the stuck one has more than its share',
  )
  for (let count = 0; count < 5; count += 1) assert.ok(stage.takeOf('stuck'))
  assert.deepEqual([stage.refill(), stage.refill(), stage.refill()], ['stuck', 'healthy', 'stuck'])
})

test('the functions also share the limit of channels', () => {
  const stage = new Stage({ stepsMax: 2, channelStepsMax: 1, starvedMax: 4 })
  stage.add('stuck', 100)
  assert.equal(stage.add('healthy', 1), 1)
  const parked = stage.newStep('healthy', 1)
  assert.equal(stage.queue.add(parked), false)
  assert.ok(stage.takeOf('healthy'))
  assert.equal(stage.queue.claim()?.channelArn, parked.channelArn)
})

test('with memory filled in any way, each of 100 functions has room for a message and hands it over', () => {
  const channels = fc.constantFrom(1, 10, 300, 12_000)
  fc.assert(
    fc.property(fc.array(channels, { maxLength: 100 }), (stuck) => {
      const stage = new Stage({ stepsMax: 5_000 })
      for (const [index, count] of stuck.entries()) {
        assert.ok(stage.add(`stuck${index}`, count) >= 1)
        assert.ok(stage.takeOf(`stuck${index}`))
      }
      assert.equal(stage.add('healthy', 1), 1)
      assert.ok(stage.takeOf('healthy'))
      const waiting = stage.queue.counts.reduce((sum, one) => sum + one.waiting, 0)
      assert.ok(waiting <= 5_000)
    }),
    { numRuns: 20 },
  )
})
