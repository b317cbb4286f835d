import { extname, join } from 'node:path'
import { Worker } from 'node:worker_threads'

/** Limits of one checkpoint, in real time. */
export interface CheckpointLimits {
  /** Limit of the thread's wait for readers. Writes wait for the thread. */
  busyMs: number
  /** Limit of the part of the checkpoint for which writes wait: they must not wait for a disk that hangs. */
  allMs: number
}

/** NOOP, which copies nothing, is PASSIVE for SQLite before 3.51. */
export type CheckpointMode = 'NOOP' | 'PASSIVE' | 'TRUNCATE'

export interface CheckpointResult {
  /** False if a reader or a writer was in the way. */
  isComplete: boolean
  /** Pages of the write-ahead log that are not copied into the file. */
  pagesLeft: number
}

const checkpointLimits: CheckpointLimits = { busyMs: 10, allMs: 2_000 }

const workerFile = join(import.meta.dirname, `checkpoint-worker${extname(import.meta.filename)}`)

export class CheckpointHangs extends Error {}

/** The thread that runs checkpoints of the write-ahead log, started on its first use. */
export class CheckpointThread {
  readonly #path: string
  readonly #limits: CheckpointLimits
  #worker: Worker | undefined
  #free: Promise<unknown> = Promise.resolve()

  constructor(path: string, limits = checkpointLimits) {
    this.#path = path
    this.#limits = limits
  }

  /** Runs the function, which makes several checkpoints, when no other one runs. */
  round<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#free.then(work)
    this.#free = mine.catch(() => {})
    return mine
  }

  /** Call it in a round only: the thread makes one checkpoint at a time. */
  async checkpoint(mode: CheckpointMode): Promise<CheckpointResult> {
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

  /** Call it when no round runs or follows. */
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

  #ask(worker: Worker, mode: CheckpointMode): Promise<CheckpointResult> {
    const { promise, resolve, reject } = Promise.withResolvers<CheckpointResult>()
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
