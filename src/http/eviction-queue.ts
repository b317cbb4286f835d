import type { Socket } from 'node:net'
import { OrderedSet } from '../runtime/ordered-set.ts'

/** For so long after it was accepted, a connection that has begun to send its first request is not closed for a new one. */
const graceMs = 1_000

interface Waiting {
  /** As it was accepted. */
  readonly socket: Pick<Socket, 'bytesRead'>
  readonly acceptedMs: number
  /** Since when the server waits for the client. */
  waitsSinceMs: number
  /** Whether no request of it has been responded to. */
  hasGrace: boolean
}

/**
 * Connections whose next step is the client's, in the order in which they are closed for new ones: the one that the
 * server has waited for longest goes first. One that is young and has begun to send its first request is passed over:
 * else many clients that connect at once would close each other for ever.
 */
export class EvictionQueue<Connection extends Waiting> {
  /** Both in the order in which the wait began. */
  readonly #waiting = new OrderedSet<Connection>()
  /** Those that were passed over. */
  readonly #young = new OrderedSet<Connection>()

  /** The server waits for it from now on. */
  add(connection: Connection): void {
    this.delete(connection)
    this.#waiting.add(connection)
  }

  delete(connection: Connection): void {
    this.#waiting.delete(connection)
    this.#young.delete(connection)
  }

  /** The one to close; none if all are young and have begun to send. A connection is passed over once in a wait. */
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
