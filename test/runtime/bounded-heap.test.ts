import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BoundedHeap } from '../../src/runtime/bounded-heap.ts'

const ascending = (a: number, b: number) => a - b

test('a bounded heap keeps the first items, in order, as sorting all of them does', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 50 })), fc.integer({ min: 0, max: 20 }), (numbers, max) => {
      const heap = new BoundedHeap(max, ascending)
      for (const number of numbers) heap.add(number)
      assert.deepEqual(heap.sorted(), numbers.toSorted(ascending).slice(0, max))
    }),
  )
})

test('an item that comes after all that a full heap keeps costs one comparison', () => {
  let comparisons = 0
  const heap = new BoundedHeap<number>(50, (a, b) => {
    comparisons += 1
    return a - b
  })
  for (let number = 0; number < 50; number += 1) heap.add(number)
  comparisons = 0
  for (let number = 100; number < 200; number += 1) heap.add(number)
  assert.equal(comparisons, 100)
})
