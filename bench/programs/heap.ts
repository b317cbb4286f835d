import { getHeapStatistics } from 'node:v8'

export interface Heap {
  /** Memory that V8 has and does not use, most of it for objects to come: see docs/benchmarks.md. */
  freeBytes: number
}

/** Collects garbage, for which the process needs --expose-gc. */
export function heapWithoutGarbage(): Heap {
  // Twice: what finalizers let go at the first is collected at the second.
  for (const _ of [1, 2]) globalThis.gc?.()
  const { total_physical_size, used_heap_size } = getHeapStatistics()
  return { freeBytes: total_physical_size - used_heap_size }
}
