import type { Socket } from 'node:net'
import { OrderedSet } from '../runtime/ordered-set.ts'

/** A connection that has begun to send its first request is not evicted for so long after it was accepted. */
const graceMs = 1_000

interface Waiting {
  /** The accepted socket. */
  readonly socket: Pick<Socket, 'bytesRead'>
  readonly acceptedMs: number
  /** When the server began to wait for the client. */
  waitsSinceMs: number
  /** Whether the connection has had no response yet. */
  hasGrace: boolean
}

/**
 * Connections whose next step is the client's, in the order of eviction: the one with the longest wait goes first. A
 * young connection that has begun to send its first request is skipped: else many clients that connect at once would
 * evict each other for ever.
 */
export class EvictionQueue<Connection extends Waiting> {
  /** Both in the order in which the wait began. */
  readonly #waiting = new OrderedSet<Connection>()
  /** The skipped connections. */
  readonly #young = new OrderedSet<Connection>()

  /** The server waits for the connection from now on. */
  add(connection: Connection): void {
    this.delete(connection)
    this.#waiting.add(connection)
  }

  delete(connection: Connection): void {
    this.#waiting.delete(connection)
    this.#young.delete(connection)
  }

  /** The connection to evict; none if all are young and have begun to send. A connection is skipped once in a wait. */
  first(nowMs: number): Connection | undefined {
    const isYoung = ({ acceptedMs }: Connection) => nowMs - acceptedMs < graceMs
    let longest = this.#waiting.first
    while (longest?.hasGrace && longest.socket.bytesRead > 0 && isYoung(longest)) {
      this.#waiting.delete(longest)
      this.#young.add(longest)
      longest = this.#waiting.first
    }
    const grown = this.#young.first
    if (!grown || isYoung(grown)) return longest
    return longest && longest.waitsSinceMs < grown.waitsSinceMs ? longest : grown
  }
}
