import { type ChildProcess, spawn } from 'node:child_process'
import { extname, join } from 'node:path'
import type { Cancel, Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { memorySizeMb } from './function-environment.ts'
import type { FunctionCode } from './function-files.ts'
import { FunctionOutput } from './function-output.ts'
import type { RuntimeInvocation, RuntimeListener } from './runtime-api.ts'
import type { HandOff } from './target.ts'

/** One event for a function. */
export interface Call extends Omit<RuntimeInvocation, 'deadlineMs'> {
  /** Goes with every line that the function prints. */
  messageId: string
  onHandedOver(): void
}

/** As long as Lambda gives a function to load. */
const loadMsMax = 10_000
const idleMsMax = 60_000
/** How long a broken child may take to exit, and how long a process that it left behind may hold its output open. */
const exitMsMax = 1_000

/** Emitted JavaScript beside emitted JavaScript, because Node strips no types below node_modules. */
const bootstrapFile = join(import.meta.dirname, `bootstrap${extname(import.meta.filename)}`)
const ownGroup = process.platform !== 'win32'

interface Attempt {
  call: Call
  /** The child has the event. */
  taken: boolean
  /** What the child says became of it. The attempt is over when the child then asks for the next event, or is gone. */
  handOff: HandOff | undefined
  resolve(handOff: HandOff): void
  reject(error: Error): void
}

/** One child process, started for its first call; it has one call at a time, until it ends or is ended. */
export class FunctionChild implements RuntimeListener {
  readonly code: FunctionCode
  readonly exited: Promise<void>
  #process: ChildProcess
  #clock: Clock
  #log: Log
  #output: FunctionOutput
  #attempt: Attempt | undefined
  /** There while the child waits for an event. */
  #answer: ((invocation: RuntimeInvocation) => void) | undefined
  #cancelAlarm: Cancel = () => {}
  #endReason: string | undefined

  /** Throws what `spawn` throws; other failures to start reject the first `invoke`. */
  constructor(code: FunctionCode, environment: NodeJS.ProcessEnv, clock: Clock, log: Log) {
    this.code = code
    this.#clock = clock
    this.#log = log
    this.#output = new FunctionOutput(log)
    this.#process = startProcess(code, environment)
    this.#debug('function process started')
    for (const stream of this.#process.stdio) stream?.on('error', () => {})
    this.#output.follow(this.#process.stdout, 'info')
    this.#output.follow(this.#process.stderr, 'warn')
    this.exited = new Promise((resolve) => {
      this.#process.on('error', (error) => this.#notStarted(error, resolve))
      this.#process.on('exit', (exitCode, signal) => this.#drain(exitCode, signal))
      this.#process.on('close', () => resolve(this.#closed()))
    })
  }

  get idle(): boolean {
    return this.#attempt === undefined && this.#endReason === undefined
  }

  get ending(): boolean {
    return this.#endReason !== undefined
  }

  /** Resolves when the child is free for another call, or gone. Rejects when it could not be started. */
  invoke(call: Call): Promise<HandOff> {
    const { promise, resolve, reject } = Promise.withResolvers<HandOff>()
    this.#attempt = { call, taken: false, handOff: undefined, resolve, reject }
    const { messageId, awsRequestId } = call
    this.#output.begin({ functionName: this.code.functionName, messageId, awsRequestId })
    this.#endAfter(loadMsMax, `did not load within ${loadMsMax} ms`)
    this.#give()
    return promise
  }

  next(answer: (invocation: RuntimeInvocation) => void): void {
    this.#answer = answer
    if (this.#attempt?.handOff) this.#finish(this.#attempt.handOff)
    else this.#give()
  }

  ended(awsRequestId: string, failure?: string): boolean {
    const attempt = this.#attempt
    if (!attempt?.taken || attempt.handOff || attempt.call.awsRequestId !== awsRequestId) return false
    attempt.handOff = failure === undefined ? { result: 'completed' } : { result: 'crashed', reason: failure }
    return true
  }

  broke(failure: string): void {
    this.#endReason ??= `${this.code.file}: ${failure}`
    // It prints the error and ends by itself.
    this.#endAfter(exitMsMax, failure)
  }

  /** Kills the process, with those it started itself. The reason is that of the call at work, if there is one. */
  end(reason: string): void {
    this.#endReason ??= reason
    const { pid } = this.#process
    if (pid === undefined) return
    try {
      process.kill(ownGroup ? -pid : pid, 'SIGKILL')
    } catch {
      // It has ended already.
    }
  }

  #give(): void {
    if (!this.#answer || !this.#attempt || this.#attempt.taken) return
    const { timeoutMs } = this.code
    this.#endAfter(timeoutMs, `timed out after ${timeoutMs} ms`)
    this.#answer({ ...this.#attempt.call, deadlineMs: this.#clock.now() + timeoutMs })
    this.#answer = undefined
    this.#attempt.taken = true
    this.#attempt.call.onHandedOver()
  }

  #finish(handOff: HandOff): void {
    this.#output.end()
    this.#attempt?.resolve(handOff)
    this.#attempt = undefined
    this.#endAfter(idleMsMax, `idle for ${idleMsMax} ms`)
  }

  #endAfter(durationMs: number, reason: string): void {
    this.#cancelAlarm()
    this.#cancelAlarm = this.#clock.at(this.#clock.now() + durationMs, () => this.end(reason))
  }

  #debug(text: string): void {
    this.#log.debug({ functionName: this.code.functionName, pid: this.#process.pid }, text)
  }

  #notStarted(error: Error, onExited: () => void): void {
    if (this.#process.pid !== undefined) return
    this.#cancelAlarm()
    this.#endReason = error.message
    this.#attempt?.reject(error)
    this.#attempt = undefined
    onExited()
  }

  /** What it printed last is still to be read, and what it started must not outlive it. */
  #drain(exitCode: number | null, signal: string | null): void {
    this.end(signal ? `its process was ended by ${signal}` : `its process exited with code ${exitCode}`)
    this.#cancelAlarm()
    this.#cancelAlarm = this.#clock.at(this.#clock.now() + exitMsMax, () => {
      for (const stream of this.#process.stdio) stream?.destroy()
    })
  }

  #closed(): void {
    this.#cancelAlarm()
    this.#debug(`function process ended: ${this.#endReason}`)
    this.#attempt?.resolve(this.#attempt.handOff ?? { result: 'crashed', reason: this.#endReason ?? 'ended' })
    this.#attempt = undefined
  }
}

function startProcess(code: FunctionCode, environment: NodeJS.ProcessEnv): ChildProcess {
  const options = [
    `--max-old-space-size=${memorySizeMb}`,
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON',
  ]
  return spawn(process.execPath, [...options, bootstrapFile, code.file, code.exportPath, String(process.pid)], {
    cwd: code.taskRoot,
    env: environment,
    // A group of its own can be killed as a whole, and an interrupt at the terminal is the server's affair.
    detached: ownGroup,
    windowsHide: true,
  })
}
