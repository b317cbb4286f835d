import { Batch } from './batch.ts'

/** A recipient of frames. */
export interface Outlet {
  /** The frames of this turn of the event loop. */
  batch: Batch | undefined
  /** Writes the batch, if there is one, and starts over. */
  flush(): void
}

/**
 * Collects the frames of one turn of the event loop: each socket then gets one write, and all sockets together one
 * callback. Frames that share a commit share a turn anyway. Frames without a row, such as typing indicators, arrive
 * call by call; with a flush for each they took three times as long.
 */
export class FrameFlush {
  #outlets: Outlet[] = []
  #empty = Batch.empty()

  add(outlet: Outlet, frame: Buffer): void {
    if (!outlet.batch) {
      if (this.#outlets.length === 0) setImmediate(() => this.#flush())
      this.#outlets.push(outlet)
    }
    outlet.batch = (outlet.batch ?? this.#empty).with(frame)
  }

  #flush(): void {
    const outlets = this.#outlets
    this.#outlets = []
    this.#empty = Batch.empty()
    for (const outlet of outlets) outlet.flush()
  }
}
