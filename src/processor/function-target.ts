import { resolve } from 'node:path'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { shortageOf } from '../runtime/shortage.ts'
import { type Call, FunctionChild } from './function-child.ts'
import { childEnvironment, type FunctionEnvironment } from './function-environment.ts'
import { BrokenFunction, type FunctionCode, FunctionFolder, MissingFunction } from './function-folder.ts'
import { childrenMax, FunctionPool } from './function-pool.ts'
import type { FunctionsUser } from './functions-user.ts'
import { Leftovers } from './leftovers.ts'
import type { ProcessorEvent } from './processor-event.ts'
import { RuntimeApi } from './runtime-api.ts'
import type { HandOff, ProcessorTarget } from './target.ts'

export interface FunctionTargetOptions {
  /** The folder of functions: CARILLON_FUNCTIONS. */
  folder: string
  /** Asked whenever a child process starts, since the server's port is known only when it listens. */
  environment(): FunctionEnvironment
  clock: Clock
  log: Log
  /** A UUID that nobody can guess. */
  newId(): string
  /** Whom functions run as; undefined for the server's own user. */
  user?: FunctionsUser | undefined
}

/** How long a call at work may go on when the server closes. */
const closeGraceMs = 2_000

/**
 * Processors that are AWS Lambda functions for Node, in a local folder, unmodified. They run in child processes over the
 * Lambda Runtime API, so that nothing they do can stop the server.
 */
export function createFunctionTarget(options: FunctionTargetOptions): ProcessorTarget {
  return new FunctionTarget(options)
}

class FunctionTarget implements ProcessorTarget {
  #options: FunctionTargetOptions
  #folder: FunctionFolder
  #runtimeApi = new RuntimeApi()
  #leftovers: Leftovers
  #pools = new Map<string, FunctionPool>()
  #found = new Set<string>()
  #closed = false

  constructor(options: FunctionTargetOptions) {
    this.#options = options
    this.#folder = new FunctionFolder(options.folder, options.log)
    this.#leftovers = new Leftovers(options.log, options.user)
  }

  async invoke(functionName: string, functionArn: string, event: ProcessorEvent, onHandedOver: () => void) {
    let handedOver = false
    const handOverOnce = () => {
      if (!handedOver) onHandedOver()
      handedOver = true
    }
    const handOff = await this.#handOff(functionName, this.#callFor(functionArn, event, handOverOnce))
    // AWS accepts an event for a function that then cannot be loaded. So do we.
    if (handOff.result === 'crashed') handOverOnce()
    return handOff
  }

  freePlaces(functionName: string): number {
    return childrenMax - (this.#pools.get(functionName)?.calls ?? 0)
  }

  /** A place becomes free by the end of a call alone. */
  onFreePlace(): void {}

  async close(): Promise<void> {
    this.#closed = true
    const pools = [...this.#pools.values()]
    const { clock } = this.#options
    const cancelKill = clock.at(clock.now() + closeGraceMs, () => {
      for (const pool of pools) pool.kill()
    })
    await Promise.all(pools.map((pool) => pool.close()))
    cancelKill()
    await this.#runtimeApi.close()
  }

  #callFor(functionArn: string, event: ProcessorEvent, onHandedOver: () => void): Call {
    const { newId, clock } = this.#options
    const seconds = Math.floor(clock.now() / 1000).toString(16)
    return {
      awsRequestId: newId(),
      functionArn,
      traceId: `Root=1-${seconds.padStart(8, '0')}-${newId().replaceAll('-', '').slice(0, 24)};Sampled=0`,
      body: JSON.stringify(event),
      messageId: event.ChannelMessage.MessageId,
      onHandedOver,
    }
  }

  async #handOff(functionName: string, call: Call): Promise<HandOff> {
    try {
      await this.#runtimeApi.listen()
      if (this.#closed) throw new Error('the server is closing')
      return await this.#invoke(functionName, call)
    } catch (error) {
      const { message: reason } = error as Error
      const shortage = shortageOf(error)
      if (shortage) return { result: 'deferred', reason, cause: shortage }
      if (error instanceof BrokenFunction) return { result: 'crashed', reason }
      // One that was there before may be about to be replaced: it is tried again.
      const permanent = error instanceof MissingFunction && !this.#found.has(functionName)
      return { result: 'unreached', reason, permanent }
    }
  }

  async #invoke(functionName: string, call: Call): Promise<HandOff> {
    const pool = this.#pools.get(functionName) ?? this.#newPool(functionName)
    try {
      return await pool.invoke(call)
    } finally {
      if (pool.empty) this.#pools.delete(functionName)
    }
  }

  #newPool(functionName: string): FunctionPool {
    const pool = new FunctionPool(
      () => this.#find(functionName),
      (code) => this.#start(code),
    )
    this.#pools.set(functionName, pool)
    return pool
  }

  async #find(functionName: string): Promise<FunctionCode> {
    const code = await this.#folder.find(functionName)
    this.#found.add(functionName)
    return code
  }

  #start(code: FunctionCode): FunctionChild {
    const { environment, folder, user, clock, log, newId } = this.#options
    const token = newId()
    const own = { runtimeApi: this.#runtimeApi.addressFor(token), writableFolder: user?.folder }
    const launch = { environment: childEnvironment(code, environment(), own), folder: resolve(folder), user }
    const endLeftovers = () => this.#leftovers.end(token)
    const after = (limitMs: number, act: () => void) => clock.at(clock.now() + limitMs, act)
    const child = new FunctionChild(code, launch, { clock, log, after, endLeftovers })
    this.#runtimeApi.register(token, child)
    void child.exited.then(() => this.#runtimeApi.unregister(token))
    return child
  }
}
