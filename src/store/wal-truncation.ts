import { CheckpointHangs, type CheckpointThread } from './checkpoint-thread.ts'

/** The pause between an erasure and the checkpoint. One checkpoint removes all texts that were erased in the pause. */
export const truncateAfterMs = 4_000
/** The pause before a retry, while another process reads the file: twice as long each time, up to the maximum. */
const retryMs = 1_000
const retryMsMax = 5_000
/** After so many successive failures, a warning is logged. */
const failuresUntilWarning = 4

interface TruncationParts {
  thread: CheckpointThread
  clock: { now(): number; at(atMs: number, wake: () => void): () => void }
  log: { warn(fields: object, text: string): void; info(fields: object, text: string): void }
  /** Runs the function while no write of this process is in progress. */
  alone<T>(work: () => Promise<T>): Promise<T>
  /** Called if a checkpoint hangs and keeps SQLite's lock for writers: writes fail until one of them succeeds. */
  lockHeld(reason: string): void
}

/**
 * Removes erased text from the write-ahead log, which keeps the previous pages until they are overwritten.
 *
 * A checkpoint takes up to 35 ms, most of it for the disk, so it runs in a thread. Most frames are copied while writes
 * continue; only the rest, and the truncation, need SQLite's lock for writers. Writes of this process wait during these 3
 * to 6 ms, because they would fail at the lock.
 */
export class WalTruncation {
  readonly #parts: TruncationParts
  #cancel: (() => void) | undefined
  #running: Promise<void> | undefined
  #requested = false
  #failures = 0
  #closed = false

  constructor(parts: TruncationParts) {
    this.#parts = parts
  }

  /** Requests a truncation, after a commit that erased a text. */
  request(): void {
    this.#requested = true
    if (!this.#running && !this.#cancel) this.#runAfter(truncateAfterMs)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancel?.()
    await this.#running
  }

  #runAfter(pauseMs: number): void {
    if (this.#closed) return
    const { clock } = this.#parts
    this.#cancel = clock.at(clock.now() + pauseMs, () => {
      this.#cancel = undefined
      this.#running = this.#run().finally(() => {
        this.#running = undefined
        if (this.#requested) this.#runAfter(this.#pauseMs)
      })
    })
  }

  get #pauseMs(): number {
    if (this.#failures === 0) return truncateAfterMs
    return Math.min(retryMs * 2 ** (this.#failures - 1), retryMsMax)
  }

  async #run(): Promise<void> {
    this.#requested = false
    const { thread } = this.#parts
    const problem = await thread.round(() => this.#truncate()).catch((error: unknown) => String(error))
    if (problem === undefined) return this.#succeed()
    this.#requested = true
    this.#failures += 1
    if (this.#failures !== failuresUntilWarning) return
    this.#parts.log.warn({ reason: problem }, 'erased text stays in the write-ahead log for now; trying again')
  }

  #succeed(): void {
    if (this.#failures >= failuresUntilWarning) this.#parts.log.info({}, 'erased text is gone from the write-ahead log')
    this.#failures = 0
  }

  /** Returns the reason if the log could not be truncated. */
  async #truncate(): Promise<string | undefined> {
    await this.#parts.thread.checkpoint('PASSIVE')
    const isComplete = await this.#parts.alone(() => this.#checkpointWithLock())
    return isComplete ? undefined : 'another process is reading or writing the database file'
  }

  /** Reports the failure before the next write, which would fail at the lock. */
  async #checkpointWithLock(): Promise<boolean> {
    try {
      return (await this.#parts.thread.checkpoint('TRUNCATE')).isComplete
    } catch (error) {
      if (error instanceof CheckpointHangs) this.#parts.lockHeld(error.message)
      throw error
    }
  }
}
