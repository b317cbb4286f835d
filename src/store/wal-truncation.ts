import { extname, join } from 'node:path'
import { Worker } from 'node:worker_threads'

/** The pause between an erasure and the checkpoint. One checkpoint removes all texts that were erased in the pause. */
export const truncateAfterMs = 4_000
/** The pause before a retry, while another process reads the file: twice as long each time, up to the maximum. */
const retryMs = 1_000
const retryMsMax = 5_000
/** After so many successive failures, a warning is logged. */
const failuresUntilWarning = 4
/** Limits of one checkpoint, in real time. */
export interface CheckpointLimits {
  /** Limit of the thread's wait for readers. Writes wait for the thread. */
  busyMs: number
  /** Limit of the part of the checkpoint for which writes wait: they must not wait for a disk that hangs. */
  allMs: number
}

const checkpointLimits: CheckpointLimits = { busyMs: 10, allMs: 2_000 }

const workerFile = join(import.meta.dirname, `checkpoint-worker${extname(import.meta.filename)}`)

interface TruncationParts {
  path: string
  clock: { now(): number; at(atMs: number, wake: () => void): () => void }
  log: { warn(fields: object, text: string): void; info(fields: object, text: string): void }
  /** Runs the function while no write of this process is in progress. */
  alone<T>(work: () => Promise<T>): Promise<T>
  /** Called if a checkpoint hangs and keeps SQLite's lock for writers: writes fail until one of them succeeds. */
  lockHeld(reason: string): void
  limits?: CheckpointLimits | undefined
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
  readonly #thread: CheckpointThread
  #cancel: (() => void) | undefined
  #running: Promise<void> | undefined
  #requested = false
  #failures = 0
  #closed = false

  constructor(parts: TruncationParts) {
    this.#parts = parts
    this.#thread = new CheckpointThread(parts)
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
    await this.#thread.close()
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
    const problem = await this.#truncate().catch((error: unknown) => String(error))
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
    await this.#thread.checkpoint('PASSIVE')
    const isComplete = await this.#parts.alone(() => this.#checkpointWithLock())
    return isComplete ? undefined : 'another process is reading or writing the database file'
  }

  /** Reports the failure before the next write, which would fail at the lock. */
  async #checkpointWithLock(): Promise<boolean> {
    try {
      return await this.#thread.checkpoint('TRUNCATE')
    } catch (error) {
      if (error instanceof CheckpointHangs) this.#parts.lockHeld(error.message)
      throw error
    }
  }
}

class CheckpointHangs extends Error {}

/** The thread, started on its first use. */
class CheckpointThread {
  readonly #path: string
  readonly #limits: CheckpointLimits
  #worker: Worker | undefined

  constructor({ path, limits = checkpointLimits }: Pick<TruncationParts, 'path' | 'limits'>) {
    this.#path = path
    this.#limits = limits
  }

  /** Returns whether the checkpoint was complete. */
  async checkpoint(mode: 'PASSIVE' | 'TRUNCATE'): Promise<boolean> {
    const worker = this.#start()
    // The thread keeps the process alive only during a checkpoint.
    worker.ref()
    try {
      return await this.#ask(worker, mode)
    } catch (error) {
      this.#worker = undefined
      // The thread ends after the system call that hangs.
      void worker.terminate()
      throw error
    } finally {
      worker.unref()
    }
  }

  async close(): Promise<void> {
    const worker = this.#worker
    if (!worker) return
    this.#worker = undefined
    worker.ref()
    const ended = new Promise((resolve) => worker.once('exit', resolve))
    worker.postMessage('close')
    await ended
  }

  #start(): Worker {
    if (this.#worker) return this.#worker
    const workerData = { path: this.#path, busyMs: this.#limits.busyMs }
    const worker = new Worker(workerFile, { workerData, execArgv: [], env: {} })
    const forget = () => {
      if (this.#worker === worker) this.#worker = undefined
    }
    // Without a listener, an error of the thread would end the process. A checkpoint in progress is rejected as well.
    worker.on('error', forget).on('exit', forget)
    this.#worker = worker
    return worker
  }

  #ask(worker: Worker, mode: 'PASSIVE' | 'TRUNCATE'): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>()
    const end = () => reject(new Error('the thread for checkpoints ended'))
    worker.once('message', resolve).once('error', reject).once('exit', end)
    const { allMs } = this.#limits
    const hangs = new CheckpointHangs(`a checkpoint of the write-ahead log takes more than ${allMs} ms`)
    const timer = setTimeout(() => reject(hangs), allMs)
    worker.postMessage(mode)
    return promise.finally(() => {
      clearTimeout(timer)
      worker.off('message', resolve).off('error', reject).off('exit', end)
    })
  }
}
