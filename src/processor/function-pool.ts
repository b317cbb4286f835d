import type { Clock } from '../runtime/clock.ts'
import { inTime } from '../runtime/in-time.ts'
import { Shortage } from '../runtime/shortage.ts'
import type { Call, FunctionChild } from './function-child.ts'
import type { FunctionCode } from './function-files.ts'
import type { HandOff } from './target.ts'

/** How long a killed process may take to exit before the call that waits for its place is deferred. */
const makeRoomMsMax = 5_000

/** The server is closing and accepts no calls. */
export class Closing extends Error {
  constructor() {
    super('the server is closing')
  }
}

/** The members of a process that the pool uses. */
export type PooledChild = Pick<FunctionChild, 'code' | 'idle' | 'ending' | 'exited' | 'invoke' | 'end'>

interface Process {
  child: PooledChild
  /** The function whose call this process works on, or whose call waits for its end to have its place. */
  holder: string | undefined
}

export interface FunctionPoolOptions {
  /** Processes of all functions together: CARILLON_FUNCTION_PROCESSES. */
  processesMax: number
  start(code: FunctionCode): PooledChild
  clock: Clock
  /** Called when a place has become free without a call having ended, or one that other functions may have waited for. */
  placeFreed(): void
}

/**
 * The child processes of all functions. A call takes a place of its function and one of all; a process that ends keeps its
 * places until it has exited, so there are never more processes than places. An idle process is used again, unless the
 * files it was started from have changed, and makes room when another function needs its place.
 */
export class FunctionPool {
  #options: FunctionPoolOptions
  /** Those that were used longest ago come first. */
  #processes = new Set<Process>()
  #calls = new Map<string, number>()
  #callsOfAll = 0
  #signature: string | undefined
  #closed = false

  constructor(options: FunctionPoolOptions) {
    this.#options = options
  }

  /** How many more calls the function may have at this moment, if it may have so many at once. */
  freePlaces(functionName: string, concurrency: number): number {
    let taken = this.#calls.get(functionName) ?? 0
    let takenOfAll = this.#callsOfAll
    for (const { child, holder } of this.#processes) {
      if (!child.ending) continue
      if (holder === undefined) takenOfAll += 1
      if (child.code.functionName === functionName && holder !== functionName) taken += 1
    }
    return Math.max(0, Math.min(concurrency - taken, this.#options.processesMax - takenOfAll))
  }

  /** Takes a place, until `leave`. Throws a Shortage when none is free. */
  enter(functionName: string, concurrency: number): void {
    if (this.#closed) throw new Closing()
    if (this.freePlaces(functionName, concurrency) === 0) {
      throw new Shortage('processes', `no place is free for function ${functionName}`)
    }
    this.#calls.set(functionName, (this.#calls.get(functionName) ?? 0) + 1)
    this.#callsOfAll += 1
  }

  leave(functionName: string): void {
    const wasFull = this.#callsOfAll >= this.#options.processesMax
    const calls = (this.#calls.get(functionName) ?? 0) - 1
    if (calls > 0) this.#calls.set(functionName, calls)
    else this.#calls.delete(functionName)
    this.#callsOfAll -= 1
    if (wasFull) this.#options.placeFreed()
  }

  /**
   * For a caller that has entered. Rejects when the event reached no process: with a Shortage, with what starting one
   * throws, or with Closing.
   */
  async run(code: FunctionCode, call: Call): Promise<HandOff> {
    if (this.#closed) throw new Closing()
    const process = this.#takeIdle(code) ?? (await this.#startInPlace(code))
    try {
      return await process.child.invoke(call)
    } finally {
      this.#release(process)
    }
  }

  /** From now on only processes with this signature take calls. */
  use(signature: string): void {
    this.#signature = signature
    this.#endIdle('its files have changed', ({ child }) => child.code.signature !== signature)
  }

  /** Accepts no more calls and ends idle processes; busy ones may end their calls. Resolves when all have exited. */
  async close(): Promise<void> {
    this.#closed = true
    this.#endIdle(new Closing().message)
    await Promise.all([...this.#processes].map(({ child }) => child.exited))
  }

  /** Ends busy processes as well. */
  kill(): void {
    for (const { child } of this.#processes) child.end(new Closing().message)
  }

  #takeIdle(code: FunctionCode): Process | undefined {
    const idle = this.#idle(({ child }) => isSameCode(child.code, code)).at(-1)
    if (idle) idle.holder = code.functionName
    return idle
  }

  async #startInPlace(code: FunctionCode): Promise<Process> {
    const { functionName, concurrency } = code
    const isOwn = ({ child }: Process) => child.code.functionName === functionName
    const own = [...this.#processes].filter(isOwn)
    const isFull = this.#processes.size >= this.#options.processesMax
    if (own.length >= concurrency) await this.#makeRoom(functionName, isOwn)
    else if (isFull) await this.#makeRoom(functionName)
    if (this.#closed) throw new Closing()
    return this.#start(code)
  }

  /** Waits for the end of one of these processes: an idle one, or one that was ended after the call had entered. */
  async #makeRoom(functionName: string, which?: (process: Process) => boolean): Promise<void> {
    const process = this.#idle(which)[0] ?? this.#ending(which)[0]
    if (!process) throw new Shortage('processes', `no place is free for function ${functionName}`)
    process.holder = functionName
    if (!process.child.ending) process.child.end('it makes room for another')
    try {
      await inTime(this.#options.clock, 'the end of a process', makeRoomMsMax, process.child.exited)
    } catch (error) {
      process.holder = undefined
      throw new Shortage('processes', (error as Error).message, { cause: error })
    }
  }

  #start(code: FunctionCode): Process {
    const process: Process = { child: this.#options.start(code), holder: code.functionName }
    this.#processes.add(process)
    void process.child.exited.then(() => {
      this.#processes.delete(process)
      if (process.holder === undefined) this.#options.placeFreed()
    })
    return process
  }

  #release(process: Process): void {
    const { child } = process
    process.holder = undefined
    if (!child.idle) return
    if (this.#closed) {
      child.end(new Closing().message)
    } else if (this.#signature !== undefined && child.code.signature !== this.#signature) {
      child.end('its files have changed')
    } else {
      this.#processes.delete(process)
      this.#processes.add(process)
    }
  }

  #idle(which: (process: Process) => boolean = () => true): Process[] {
    return this.#free(which).filter(({ child }) => child.idle)
  }

  #ending(which: (process: Process) => boolean = () => true): Process[] {
    return this.#free(which).filter(({ child }) => child.ending)
  }

  #free(which: (process: Process) => boolean): Process[] {
    return [...this.#processes].filter((process) => process.holder === undefined && which(process))
  }

  #endIdle(reason: string, which?: (process: Process) => boolean): void {
    for (const { child } of this.#idle(which)) child.end(reason)
  }
}

const isSameCode = (one: FunctionCode, other: FunctionCode) =>
  one.functionName === other.functionName && one.signature === other.signature
