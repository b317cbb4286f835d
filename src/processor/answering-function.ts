import type { Clock } from '../runtime/clock.ts'
import { inTime } from '../runtime/in-time.ts'
import type { FunctionChild } from './function-child.ts'
import { BrokenFunction, type FunctionCode } from './function-files.ts'
import { type FunctionFolder, MissingFunction } from './function-folder.ts'
import { Closing, FunctionPool } from './function-pool.ts'
import { newInvocationIds } from './invocation-ids.ts'

export interface AnsweringOptions {
  functionName: string
  functionArn: string
  /** Its processes: they take no place of the functions that process messages. */
  placesMax: number
  /** Calls that may wait for a place. */
  waitingMax: number
  /** How long it may work on one call, even if its function.json allows more. */
  callMsMax: number
  /** How long a caller waits in all: for a place, for the start of a process, and for the call. */
  waitMsMax: number
}

interface Parts {
  folder: FunctionFolder
  /** Opens the Runtime API. */
  listen(): Promise<unknown>
  start(code: FunctionCode): FunctionChild
  clock: Clock
  newId(): string
}

/** The function did not return: it does not exist, cannot be loaded, failed, or took too long. */
export class FunctionFailed extends Error {}

interface Waiting extends PromiseWithResolvers<unknown> {
  event: object
}

/** A function of the folder whose return value is waited for, unlike that of a processor. */
export class AnsweringFunction {
  readonly #options: AnsweringOptions
  readonly #parts: Parts
  readonly #pool: FunctionPool
  readonly #queue: Waiting[] = []

  constructor(options: AnsweringOptions, parts: Parts) {
    this.#options = options
    this.#parts = parts
    const { clock, start } = parts
    this.#pool = new FunctionPool({
      processesMax: options.placesMax,
      clock,
      start,
      placeFreed: () => this.#serveQueue(),
    })
  }

  /**
   * Returns what the function returns. Rejects with FunctionFailed, or with another error if the function was not asked:
   * too many calls wait, none of its places became free in time, or the server is short of something or closing.
   */
  async call(event: object): Promise<unknown> {
    const { functionName, waitingMax, waitMsMax } = this.#options
    if (this.#queue.length >= waitingMax) throw new Error(`${waitingMax} calls wait for function ${functionName}`)
    const waiting = { event, ...Promise.withResolvers<unknown>() }
    this.#queue.push(waiting)
    this.#serveQueue()
    try {
      return await inTime(this.#parts.clock, `a call of function ${functionName}`, waitMsMax, waiting.promise)
    } finally {
      const place = this.#queue.indexOf(waiting)
      if (place >= 0) this.#queue.splice(place, 1)
    }
  }

  /** From now on only processes with this signature take calls. */
  use(signature: string): void {
    this.#pool.use(signature)
  }

  async close(): Promise<void> {
    for (const { reject } of this.#queue.splice(0)) reject(new Closing())
    await this.#pool.close()
  }

  /** Ends busy processes as well. */
  kill(): void {
    this.#pool.kill()
  }

  #serveQueue(): void {
    const { functionName, placesMax } = this.#options
    while (this.#pool.freePlaces(functionName, placesMax) > 0) {
      const waiting = this.#queue.shift()
      if (!waiting) return
      this.#serve(waiting).then(waiting.resolve, waiting.reject)
    }
  }

  /** Acquires the place before the first await. */
  async #serve({ event }: Waiting): Promise<unknown> {
    const { functionName, placesMax } = this.#options
    this.#pool.enter(functionName, placesMax)
    try {
      return await this.#invoke(event)
    } finally {
      this.#pool.leave(functionName)
      this.#serveQueue()
    }
  }

  async #invoke(event: object): Promise<unknown> {
    const code = await this.#findCode()
    await this.#parts.listen()
    const { promise: returned, resolve: onReturned } = Promise.withResolvers<unknown>()
    const handOff = await this.#pool.run(code, {
      ...newInvocationIds(this.#parts),
      functionArn: this.#options.functionArn,
      body: JSON.stringify(event),
      wantsReturned: true,
      onHandedOver: () => {},
      onReturned,
    })
    if (handOff.result === 'completed') return returned
    const { reason } = handOff as Extract<typeof handOff, { reason: string }>
    throw handOff.result === 'crashed' ? new FunctionFailed(reason) : new Error(reason)
  }

  async #findCode(): Promise<FunctionCode> {
    const { folder } = this.#parts
    const { functionName, placesMax, callMsMax } = this.#options
    if (!folder.isOpen) await folder.opened
    await folder.refresh()
    try {
      const code = folder.find(functionName)
      return { ...code, concurrency: placesMax, timeoutMs: Math.min(code.timeoutMs, callMsMax) }
    } catch (error) {
      const isItsOwn = error instanceof MissingFunction || error instanceof BrokenFunction
      throw isItsOwn ? new FunctionFailed(error.message, { cause: error }) : error
    }
  }
}
