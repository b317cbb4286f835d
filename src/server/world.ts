import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { Store } from '../store/store.ts'

/** What a server takes from the world around it. */
export interface World {
  clock: Clock
  log: Log
  newId(): string
  random(): number
  /** Elapsed time that nobody sets, in milliseconds. The process's own if left out. */
  elapsedMs?(): number
  /** For tests: an answer that breaks its own contract is a 500. */
  strict?: boolean
  /** For tests: stands between the server and its store. */
  aroundStore?(store: Store): Store
}
