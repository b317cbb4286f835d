import type { ChildProcess } from 'node:child_process'
import type { Clock } from '../runtime/clock.ts'
import { Countdown } from '../runtime/countdown.ts'
import type { Log } from '../runtime/log.ts'
import type { RuntimeInvocation } from './bootstrap-terms.ts'
import type { FunctionCode } from './function-files.ts'
import { FunctionOutput } from './function-output.ts'
import { type Exit, earlyEndError, killProcess, type Launch, startError, startProcess } from './function-process.ts'
import type { RuntimeListener } from './runtime-api.ts'
import type { HandOff } from './target.ts'

/** One event for a function. */
export interface Call extends Omit<RuntimeInvocation, 'deadlineMs'> {
  /** Goes with every entry that the function prints, if the event is about a message. */
  messageId?: string
  onHandedOver(): void
  /** Called if the function ends without an error, with its return value if the call `wantsReturned`. */
  onReturned?(value: unknown): void
}

/** The parts of the server that a child uses. */
export interface ChildParts {
  clock: Clock
  log: Log
  /** The log for what the function prints. */
  outputLog?: Pick<Log, 'info' | 'warn'>
  /** Ends processes that the child may have left running. */
  endLeftovers(): Promise<void>
}

/** From the start of the process until the bootstrap runs. */
const startMsMax = 10_000
/** As long as Lambda gives a function to load. */
const loadMsMax = 10_000
const idleMsMax = 60_000
/** How long a broken child may take to exit, and how long a process that it left behind may hold its output open. */
const exitMsMax = 1_000
/** How long a killed process may be kept from exiting before its call ends without that. */
const tracedMsMax = 10_000

interface Attempt {
  call: Call
  /** The child has the event. */
  taken: boolean
  /** The outcome that the child reported. The attempt ends when the child asks for the next event or has exited. */
  handOff: HandOff | undefined
  resolve(handOff: HandOff): void
  reject(error: Error): void
}

/**
 * One child process, started for its first call; it has one call at a time, until it ends or is ended.
 *
 *     starting ──started──► loading ──next──► working ◄──next / invoke──► idle
 *
 * A child that ends while it is starting is the server's own trouble: the function's file has not been imported, and the
 * event is not handed over. A later end is the function's fault.
 */
export class FunctionChild implements RuntimeListener {
  readonly code: FunctionCode
  /** Resolves when the process has exited and the processes that it left running have ended. */
  readonly exited: Promise<void>
  #process: ChildProcess
  #parts: ChildParts
  #output: FunctionOutput
  #started = false
  #attempt: Attempt | undefined
  /** Set while the child waits for an event. */
  #answer: ((invocation: RuntimeInvocation) => void) | undefined
  #countdown: Countdown | undefined
  #endReason: string | undefined
  /** The server does not need it any more. */
  #dismissed = false
  #exit: Exit | undefined

  /** Throws a Shortage or a BrokenFunction; some failures to start reject the first `invoke` with one instead. */
  constructor(code: FunctionCode, launch: Launch, parts: ChildParts) {
    this.code = code
    this.#parts = parts
    this.#output = new FunctionOutput(parts.outputLog ?? parts.log)
    this.#process = startProcess(code, launch)
    this.#debug('function process started')
    // Without a free file descriptor there are no streams, and the event `error` follows.
    for (const stream of this.#process.stdio ?? []) stream?.on('error', () => {})
    this.#output.follow(this.#process.stdout, 'info')
    this.#output.follow(this.#process.stderr, 'warn')
    this.exited = this.#untilExited()
  }

  get idle(): boolean {
    return this.#attempt === undefined && this.#endReason === undefined
  }

  get ending(): boolean {
    return this.#endReason !== undefined
  }

  /** Resolves when the child is free for another call, or has exited. Rejects if it could not be started. */
  invoke(call: Call): Promise<HandOff> {
    const { promise, resolve, reject } = Promise.withResolvers<HandOff>()
    this.#attempt = { call, taken: false, handOff: undefined, resolve, reject }
    const { messageId, awsRequestId } = call
    this.#output.begin({ functionName: this.code.functionName, ...(messageId && { messageId }), awsRequestId })
    if (!this.#started) this.#endAfter(startMsMax, `its process did not start within ${startMsMax} ms`)
    this.#give()
    return promise
  }

  started(): void {
    if (this.#started || this.#endReason !== undefined) return
    this.#started = true
    this.#output.started()
    this.#endAfter(loadMsMax, `did not load within ${loadMsMax} ms`)
  }

  next(answer: (invocation: RuntimeInvocation) => void): void {
    if (this.#endReason !== undefined) return
    this.#answer = answer
    if (this.#attempt?.handOff) this.#finish(this.#attempt.handOff)
    else this.#give()
  }

  ended(awsRequestId: string, failure?: string, returned?: unknown): boolean {
    const attempt = this.#attempt
    if (!attempt?.taken || attempt.handOff || attempt.call.awsRequestId !== awsRequestId) return false
    attempt.handOff = failure === undefined ? { result: 'completed' } : { result: 'crashed', reason: failure }
    if (failure === undefined) attempt.call.onReturned?.(returned)
    return true
  }

  broke(failure: string): void {
    // A repeated report does not extend the time.
    if (this.#endReason !== undefined) return
    this.#endReason = `${this.code.file}: ${failure}`
    // It prints the error and ends by itself.
    this.#endAfter(exitMsMax, failure)
  }

  /**
   * Kills the process and its own child processes. The call in flight ends with this reason: an event that the child has is
   * a failed attempt, one that it does not have is deferred.
   */
  end(reason: string): void {
    this.#dismissed ||= this.#endReason === undefined
    this.#kill(reason)
  }

  #kill(reason: string): void {
    this.#endReason ??= reason
    // After the exit, the number of the process group may be that of another one.
    if (this.#exit !== undefined || this.#process.pid === undefined) return
    killProcess(this.#process)
    this.#after(exitMsMax, () => this.#endTracers())
  }

  /**
   * The system reports the exit of a killed process only after its tracer has seen the exit, or has ended. A tracer that the
   * search does not find keeps the function's place occupied, but not its call.
   */
  #endTracers(): void {
    void this.#parts.endLeftovers()
    this.#after(tracedMsMax, () => {
      this.#parts.log.warn(
        { functionName: this.code.functionName, pid: this.#process.pid },
        'killed process does not exit',
      )
      this.#settleLast()
    })
  }

  #give(): void {
    if (!this.#answer || !this.#attempt || this.#attempt.taken) return
    const { timeoutMs } = this.code
    this.#endAfter(timeoutMs, `timed out after ${timeoutMs} ms`)
    this.#answer({ ...this.#attempt.call, deadlineMs: this.#parts.clock.now() + timeoutMs })
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

  #endAfter(limitMs: number, reason: string): void {
    this.#after(limitMs, () => this.#kill(reason))
  }

  /**
   * There is one limit at a time: a new one replaces the last. After the exit it is the one that closes the streams, so
   * late messages of the process are ignored.
   */
  #after(limitMs: number, act: () => void): void {
    this.#countdown?.cancel()
    this.#countdown = new Countdown(this.#parts.clock, limitMs, act)
  }

  #debug(text: string): void {
    this.#parts.log.debug({ functionName: this.code.functionName, pid: this.#process.pid }, text)
  }

  async #untilExited(): Promise<void> {
    const leftoversEnded = await new Promise<Promise<void> | undefined>((resolve) => {
      let ended: Promise<void> | undefined
      this.#process.on('error', (error) => this.#notStarted(error, () => resolve(undefined)))
      this.#process.on('exit', (exitCode, signal) => {
        ended = this.#drain({ exitCode, signal })
      })
      this.#process.on('close', () => {
        this.#closed()
        resolve(ended)
      })
    })
    await leftoversEnded
  }

  #notStarted(error: Error, onExited: () => void): void {
    if (this.#process.pid !== undefined) return
    this.#countdown?.cancel()
    this.#endReason = error.message
    this.#attempt?.reject(startError(error, this.code))
    this.#attempt = undefined
    onExited()
  }

  /** Its last output is still to be read, and processes that it started must not outlive it. */
  #drain(exit: Exit): Promise<void> {
    const { exitCode, signal } = exit
    const ended = signal ? `was ended by ${signal}` : `exited with code ${exitCode}`
    this.#kill(`its process ${ended}${this.#started ? '' : ' before it had started'}`)
    this.#exit = exit
    this.#after(exitMsMax, () => {
      for (const stream of this.#process.stdio) stream?.destroy()
    })
    return this.#parts.endLeftovers()
  }

  #closed(): void {
    this.#countdown?.cancel()
    this.#debug(`function process ended: ${this.#endReason}`)
    this.#settleLast()
  }

  #settleLast(): void {
    if (this.#attempt) this.#settle(this.#attempt, this.#endReason ?? 'ended')
    this.#attempt = undefined
  }

  #settle({ handOff, taken, resolve, reject }: Attempt, reason: string): void {
    if (handOff) resolve(handOff)
    else if (this.#dismissed && !taken) resolve({ result: 'deferred', reason, cause: 'closing' })
    else if (this.#started) resolve({ result: 'crashed', reason })
    else {
      this.#debug(`output of a process that did not start: ${this.#output.early}`)
      reject(earlyEndError(reason, this.#output.early, this.#exit, this.code))
    }
  }
}
