import type { Part } from './bench.ts'
import { channels } from './parts/channels.ts'
import { fanout } from './parts/fanout.ts'
import { flow } from './parts/flow.ts'
import { history } from './parts/history.ts'
import { overload } from './parts/overload.ts'
import { pending } from './parts/pending.ts'
import { sessions } from './parts/sessions.ts'
import { start } from './parts/start.ts'

/** All subjects, in the order in which they are measured. */
export const parts: readonly Part[] = [flow, fanout, sessions, history, channels, pending, overload, start]
