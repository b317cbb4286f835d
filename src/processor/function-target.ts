import { resolve } from 'node:path'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { shortageOf } from '../runtime/shortage.ts'
import { AnsweringFunction, type AnsweringOptions } from './answering-function.ts'
import { type Call, type ChildParts, FunctionChild } from './function-child.ts'
import { childEnvironment, type FunctionEnvironment } from './function-environment.ts'
import { BrokenFunction, type FunctionCode } from './function-files.ts'
import { FunctionFolder, MissingFunction } from './function-folder.ts'
import { defaultConcurrency } from './function-json.ts'
import { Closing, FunctionPool } from './function-pool.ts'
import type { FunctionRecords } from './function-records.ts'
import type { FunctionsMark } from './functions-mark.ts'
import type { FunctionsUser } from './functions-user.ts'
import { newInvocationIds } from './invocation-ids.ts'
import { Leftovers } from './leftovers.ts'
import type { ProcessorEvent } from './processor-event.ts'
import { RuntimeApi } from './runtime-api.ts'
import type { HandOff, ProcessorTarget } from './target.ts'

export interface FunctionTargetOptions {
  /** The folder of functions: CARILLON_FUNCTIONS. */
  folder: string
  /** Processes of all functions together: CARILLON_FUNCTION_PROCESSES. */
  processesMax: number
  /** Asked whenever a child process starts, since the server's port is known only when it listens. */
  environment(functionName: string): FunctionEnvironment
  clock: Clock
  /** The clock for reading the folder, because files change in real time; by default `clock`. */
  folderClock?: Clock
  log: Log
  /** A random UUID. */
  newId(): string
  /** The user that functions run as; undefined for the server's own user. */
  user?: FunctionsUser | undefined
  /** Remembers across restarts that there were functions. */
  mark?: FunctionsMark | undefined
  /** What functions do and print; not kept if left out. */
  records?: FunctionRecords
}

/** A function of the folder, as its files say. `unknown`: the folder cannot be read. */
export type FolderState =
  | { state: 'ready'; places: number }
  | { state: 'broken' | 'unknown'; error: string }
  | { state: 'missing' }

/** How long calls in flight may go on when the server closes. */
const closeGraceMs = 2_000

/** The functions of a folder. There are no free places until the folder has been read for the first time. */
export interface FunctionTarget extends ProcessorTarget {
  /** Resolves when the folder has been read for the first time. */
  opened: Promise<void>
  /** Whether the folder has no such function, from memory; false when that is not known. */
  isAbsent(functionName: string): boolean
  /** The names of the functions in the folder, those included that are broken. */
  names(): string[]
  /** From memory. */
  stateOf(functionName: string): FolderState
  /** The ids of the users as which the function may act: none if it is not known. */
  actAsOf(functionName: string): readonly string[]
  /** To be called for an event of a function that is not in the folder, so that the folder is read from time to time. */
  noteEvent(): void
  /** Throws an error with the reason while the functions of the folder are unknown. */
  folderReady(): void
  /** A function that is called for its return value, with processes of its own. It is closed with the others. */
  answeringFunction(options: AnsweringOptions): AnsweringFunction
}

/**
 * Processors that are AWS Lambda functions for Node, in a local folder, unmodified. They run in child processes over the
 * Lambda Runtime API, so that nothing they do can stop the server.
 */
export function createFunctionTarget(options: FunctionTargetOptions): FunctionTarget {
  return new LocalFunctions(options)
}

class LocalFunctions implements FunctionTarget {
  readonly opened: Promise<void>
  #options: FunctionTargetOptions
  #folder: FunctionFolder
  #runtimeApi = new RuntimeApi()
  #leftovers: Leftovers
  #pool: FunctionPool
  #answering: AnsweringFunction[] = []
  /** Calls in flight for unknown functions, by name: they take no place of a process. */
  #lookUps = new Map<string, number>()
  #freePlaceListeners: (() => void)[] = []
  #closed = false

  constructor(options: FunctionTargetOptions) {
    const { folder, processesMax, clock, folderClock = clock, log, mark } = options
    this.#options = options
    this.#leftovers = new Leftovers(log, clock, options.user)
    const placeFreed = () => this.#placeFreed()
    this.#pool = new FunctionPool({ processesMax, clock, placeFreed, start: (code) => this.#start(code) })
    this.#folder = new FunctionFolder({ folder, clock: folderClock, log, mark, changed: () => this.#folderChanged() })
    this.opened = this.#folder.opened
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
    if (!this.#folder.isOpen) return 0
    const code = this.#folder.codeOf(functionName)
    if (code) return this.#pool.freePlaces(functionName, code.concurrency)
    return Math.max(0, defaultConcurrency - (this.#lookUps.get(functionName) ?? 0))
  }

  onFreePlace(listener: () => void): void {
    this.#freePlaceListeners.push(listener)
  }

  isAbsent(functionName: string): boolean {
    return this.#folder.isAbsent(functionName)
  }

  names(): string[] {
    return this.#folder.names
  }

  stateOf(functionName: string): FolderState {
    try {
      return { state: 'ready', places: this.#folder.find(functionName).concurrency }
    } catch (error) {
      if (error instanceof MissingFunction) return { state: 'missing' }
      return { state: error instanceof BrokenFunction ? 'broken' : 'unknown', error: (error as Error).message }
    }
  }

  actAsOf(functionName: string): readonly string[] {
    return this.#folder.codeOf(functionName)?.actAs ?? []
  }

  noteEvent(): void {
    void this.#folder.refresh()
  }

  folderReady(): void {
    this.#folder.check()
  }

  answeringFunction(options: AnsweringOptions): AnsweringFunction {
    const { clock, newId, log } = this.#options
    const parts = { clock, newId, folder: this.#folder, listen: () => this.#runtimeApi.listen() }
    // What the function prints may contain what it is given, such as a token.
    const debug = (fields: object, text: string) => log.debug(fields, text)
    const outputLog = { info: debug, warn: debug }
    const answering = new AnsweringFunction(options, { ...parts, start: (code) => this.#start(code, outputLog) })
    this.#answering.push(answering)
    return answering
  }

  async close(): Promise<void> {
    this.#closed = true
    const { clock } = this.#options
    const pools = [this.#pool, ...this.#answering]
    const cancelKill = clock.at(clock.now() + closeGraceMs, () => {
      for (const pool of pools) pool.kill()
    })
    await Promise.all([...pools.map((pool) => pool.close()), this.#folder.close()])
    cancelKill()
    await this.#runtimeApi.close()
  }

  #callFor(functionArn: string, event: ProcessorEvent, onHandedOver: () => void): Call {
    return {
      ...newInvocationIds(this.#options),
      functionArn,
      body: JSON.stringify(event),
      messageId: event.ChannelMessage.MessageId,
      onHandedOver,
    }
  }

  async #handOff(functionName: string, call: Call): Promise<HandOff> {
    try {
      if (this.#closed) throw new Closing()
      if (!this.#folder.isOpen) await this.opened
      if (!this.#folder.codeOf(functionName)) await this.#lookUp(functionName)
      return await this.#run(functionName, call)
    } catch (error) {
      const { message: reason } = error as Error
      if (error instanceof MissingFunction) return { result: 'unreached', reason, permanent: true }
      if (error instanceof BrokenFunction) return { result: 'crashed', reason }
      // Any other failure to give an event to a function of this machine is the server's own trouble.
      const cause = error instanceof Closing ? 'closing' : (shortageOf(error) ?? 'processes')
      return { result: 'deferred', reason, cause }
    }
  }

  /** A function that is not known may have been added a moment ago. */
  async #lookUp(functionName: string): Promise<void> {
    const count = (calls: number) => this.#lookUps.set(functionName, (this.#lookUps.get(functionName) ?? 0) + calls)
    count(1)
    try {
      await this.#folder.refresh()
      if (this.#folder.isAbsent(functionName)) await this.#folder.lookAgain()
      // A closed folder is not read: then a function is not known to be missing.
      if (this.#closed) throw new Closing()
      this.#folder.find(functionName)
    } finally {
      count(-1)
      if (this.#lookUps.get(functionName) === 0) this.#lookUps.delete(functionName)
    }
  }

  /** Acquires the place before the first await. */
  async #run(functionName: string, call: Call): Promise<HandOff> {
    const { concurrency } = this.#folder.find(functionName)
    this.#pool.enter(functionName, concurrency)
    try {
      await this.#folder.refresh()
      await this.#runtimeApi.listen()
      return await this.#pool.run(this.#folder.find(functionName), call)
    } finally {
      this.#pool.leave(functionName)
    }
  }

  #folderChanged(): void {
    this.#options.records?.forgetFailures()
    const signature = this.#folder.signature
    if (signature !== undefined) for (const pool of [this.#pool, ...this.#answering]) pool.use(signature)
    this.#placeFreed()
  }

  #placeFreed(): void {
    for (const listener of this.#freePlaceListeners) listener()
  }

  #start(code: FunctionCode, outputLog = this.#recordingLog(code.functionName)): FunctionChild {
    const { environment, folder, user, clock, log, newId } = this.#options
    const token = newId()
    const own = { runtimeApi: this.#runtimeApi.addressFor(token), writableFolder: user?.folder }
    const launch = {
      environment: childEnvironment(code, environment(code.functionName), own),
      folder: resolve(folder),
      user,
    }
    const endLeftovers = () => this.#leftovers.end(token)
    const child = new FunctionChild(code, launch, { clock, log, endLeftovers, outputLog })
    this.#runtimeApi.register(token, child)
    void child.exited.then(() => this.#runtimeApi.unregister(token))
    return child
  }

  /** What the function prints goes to the log, and into its record. */
  #recordingLog(functionName: string): NonNullable<ChildParts['outputLog']> {
    const { log, records } = this.#options
    if (!records) return log
    const record = (level: 'info' | 'warn') => (fields: object, text: string) => {
      log[level](fields, text)
      records.print(functionName, text, level === 'warn')
    }
    return { info: record('info'), warn: record('warn') }
  }
}
