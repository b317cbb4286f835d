import type { Part } from './bench.ts'
import { fanout } from './parts/fanout.ts'
import { flow } from './parts/flow.ts'
import { sessions } from './parts/sessions.ts'

/** All subjects, in the order in which they are measured. */
export const parts: readonly Part[] = [flow, fanout, sessions]
