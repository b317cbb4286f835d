import type { CheckpointThread } from './checkpoint-thread.ts'

/** Rows that are written until the thread looks how long the log is. A row takes two pages if it has a commit of its own. */
const lookAfterRows = 1_000
/** Pages that are copied at a time, and not fewer: a page that many commits write is then copied once. */
const pagesMin = 2_000

interface CopyParts {
  thread: CheckpointThread
  /** Runs the function while no write of this process is in progress. */
  alone<T>(work: () => Promise<T>): Promise<T>
}

/**
 * Copies the write-ahead log into the file before it is so long that SQLite does that within a commit: 4,000 pages took
 * 40 ms of processor time and up to 120 ms in all, in which the event loop did nothing else.
 *
 * Most pages are copied while writes continue. The rest is copied while no write of this process is in progress: then the
 * next write begins the log again. Else the log would grow as long as there are writes.
 */
export class WalCopy {
  readonly #parts: CopyParts
  #rowsSeen = 0
  #running: Promise<void> | undefined
  #closed = false

  constructor(parts: CopyParts) {
    this.#parts = parts
  }

  /** Call it after each commit, with the number of rows that this process has written. */
  committed(rowsWritten: number): void {
    if (rowsWritten - this.#rowsSeen < lookAfterRows || this.#running || this.#closed) return
    this.#rowsSeen = rowsWritten
    this.#running = this.#copyIfLong().finally(() => {
      this.#running = undefined
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  /** After a failure, SQLite copies the log in a commit, when it is long enough. */
  async #copyIfLong(): Promise<void> {
    const { thread, alone } = this.#parts
    await thread
      .round(async () => {
        const { pagesLeft } = await thread.checkpoint('NOOP')
        if (pagesLeft < pagesMin) return
        await thread.checkpoint('PASSIVE')
        await alone(() => thread.checkpoint('PASSIVE'))
      })
      .catch(() => {})
  }
}
