import { extname, join } from 'node:path'
import { Worker } from 'node:worker_threads'

/** How long after a text was erased its copies are removed: what is erased meanwhile is removed with it. */
export const truncateAfterMs = 4_000
/** The pause before the next try, while another process reads the file: twice as long each time, up to the maximum. */
const retryMs = 1_000
const retryMsMax = 5_000
/** After so many tries in a row the operator is told. */
const triesUntold = 4
/** How long the thread waits for readers, while it keeps writes waiting. */
const busyMs = 10
/** How long one checkpoint may take. Writes wait for a part of it, and must not wait for a disk that hangs. */
const checkpointMsMax = 2_000

const workerFile = join(import.meta.dirname, `checkpoint-worker${extname(import.meta.filename)}`)

interface TruncationParts {
  path: string
  clock: { now(): number; at(atMs: number, wake: () => void): () => void }
  log: { warn(fields: object, text: string): void; info(fields: object, text: string): void }
  /** Runs while no write of this process is under way. */
  alone<T>(work: () => Promise<T>): Promise<T>
}

/**
 * Removes erased text from the write-ahead log, where the pages as they were before stay until they are overwritten.
 *
 * A checkpoint takes up to 35 ms, most of it for the disk, so it is made in a thread. Most frames are copied while writes
 * go on; only the rest, and the truncation, need SQLite's lock for writers. Writes of this process queue up for these 3 to
 * 6 ms, since they would fail if they met the lock.
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
    this.#thread = new CheckpointThread(parts.path)
  }

  /** A commit has erased a text. */
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
    if (this.#failures !== triesUntold) return
    this.#parts.log.warn({ reason: problem }, 'erased text stays in the write-ahead log for now; trying again')
  }

  #succeed(): void {
    if (this.#failures >= triesUntold) this.#parts.log.info({}, 'erased text is gone from the write-ahead log')
    this.#failures = 0
  }

  /** What kept the log from being truncated, if anything did. */
  async #truncate(): Promise<string | undefined> {
    await this.#thread.checkpoint('PASSIVE')
    const isComplete = await this.#parts.alone(() => this.#thread.checkpoint('TRUNCATE'))
    return isComplete ? undefined : 'another process is reading or writing the database file'
  }
}

/** The thread, started when it is first needed. */
class CheckpointThread {
  readonly #path: string
  #worker: Worker | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** Whether it was complete. */
  async checkpoint(mode: 'PASSIVE' | 'TRUNCATE'): Promise<boolean> {
    const worker = this.#start()
    // It keeps the process alive only while it is asked.
    worker.ref()
    try {
      return await this.#ask(worker, mode)
    } catch (error) {
      this.#worker = undefined
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
    const worker = new Worker(workerFile, { workerData: { path: this.#path, busyMs }, execArgv: [], env: {} })
    const forget = () => {
      if (this.#worker === worker) this.#worker = undefined
    }
    // An error that is not listened to would end the process. Whoever asks at that time hears of it as well.
    worker.on('error', forget).on('exit', forget)
    this.#worker = worker
    return worker
  }

  #ask(worker: Worker, mode: 'PASSIVE' | 'TRUNCATE'): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>()
    const end = () => reject(new Error('the thread for checkpoints ended'))
    worker.once('message', resolve).once('error', reject).once('exit', end)
    const timer = setTimeout(() => reject(new Error(`no checkpoint within ${checkpointMsMax} ms`)), checkpointMsMax)
    worker.postMessage(mode)
    return promise.finally(() => {
      clearTimeout(timer)
      worker.off('message', resolve).off('error', reject).off('exit', end)
    })
  }
}
