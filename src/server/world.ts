import type { WireRelease } from '../bus/nats-wire.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { Store } from '../store/store.ts'

/** The inputs of a server from outside the process: time, randomness, ids, the log. */
export interface World {
  clock: Clock
  log: Log
  newId(): string
  random(): number
  /** Monotonic elapsed time, in milliseconds. The process's own if left out. */
  elapsedMs?(): number
  /** For tests: a response that breaks its own contract is a 500. */
  strict?: boolean
  /** For tests: how many seconds the temporary keys of STS live, whatever the caller asks for. */
  keySeconds?: number
  /** For tests: what this node publishes on NATS looks like messages of another release. */
  wireRelease?: WireRelease | undefined
  /** For tests: the folder with `console/` and the built pages, if not that of the program. */
  pagesRoot?: string
  /** For tests: wraps the server's store. */
  aroundStore?(store: Store): Store
}
