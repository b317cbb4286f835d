import type { Part } from './bench.ts'
import { flow } from './parts/flow.ts'

/** All subjects, in the order in which they are measured. */
export const parts: readonly Part[] = [flow]
