import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { releaseVariable, type WireRelease } from '../../src/bus/nats-wire.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const startMsMax = 30_000
/** A node stops by itself within 5 s. */
const endMsMax = 20_000

interface NodeOptions {
  /** Its data folder and its log are in here. */
  folder: string
  name: string
  flags: string[]
  environment: Record<string, string>
}

/**
 * One node of a cluster, as its operator starts it; killed or frozen it comes back on the same folder and ports. Until it
 * is upgraded, what it publishes on the bus and what it reads there is of one version before.
 */
export class NodeProcess {
  readonly logFile: string
  readonly #options: NodeOptions
  #process: ChildProcess | undefined
  #ready = false
  #mayEnd = false
  #isUpgraded = false
  /** Ends that nobody here asked for, once it had been ready. */
  readonly crashes: string[] = []

  constructor(options: NodeOptions) {
    this.#options = options
    this.logFile = join(options.folder, `${options.name}.log`)
    // However this process ends, the node ends with it.
    process.once('exit', () => this.#process?.kill('SIGKILL'))
  }

  get name(): string {
    return this.#options.name
  }

  get pid(): number {
    return this.#process?.pid ?? 0
  }

  /** Whether it runs, and has said that it is ready. */
  get isReady(): boolean {
    return this.#ready
  }

  get #runs(): boolean {
    const { exitCode, signalCode } = this.#process ?? { exitCode: 0 }
    return exitCode === null && signalCode === null
  }

  /** Resolves when it is ready; it may try for as long as its store is away. */
  async start(): Promise<void> {
    const { folder, name, flags, environment } = this.#options
    const args = [main, 'serve', '--data-dir', join(folder, name), ...flags]
    const child = spawn(process.execPath, args, {
      env: {
        PATH: process.env.PATH,
        ...environment,
        ...(!this.#isUpgraded && { [releaseVariable]: 'the release before' satisfies WireRelease }),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#process = child
    this.#mayEnd = false
    const log = createWriteStream(this.logFile, { flags: 'a' })
    child.stderr.pipe(log, { end: false })
    const ready = Promise.withResolvers<void>()
    const timer = setTimeout(() => ready.reject(new Error(`${name} was not ready within ${startMsMax} ms`)), startMsMax)
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      log.write(text)
      if (text.includes('carillon ready')) ready.resolve()
    })
    child.once('error', ready.reject)
    child.once('exit', (code, signal) => {
      ready.reject(new Error(`${name} ended with ${signal ?? code}; ${this.logFile} says why`))
      log.end()
      if (this.#ready && !this.#mayEnd) {
        this.crashes.push(
          `${name} (process ${child.pid}) ended by itself with ${signal ?? code}; ${this.logFile} says why`,
        )
      }
      this.#ready = false
    })
    await ready.promise.finally(() => clearTimeout(timer))
    this.#ready = true
  }

  /** As if the machine were gone. Resolves when the process is. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** As its operator stops it. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** Its next start is of the present release. */
  upgrade(): void {
    this.#isUpgraded = true
  }

  /** It keeps its connections, and does nothing. */
  freeze(): void {
    this.#process?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#process?.kill('SIGCONT')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.#mayEnd = true
    const child = this.#process
    if (!child || !this.#runs) return
    const exit = once(child, 'exit', { signal: AbortSignal.timeout(endMsMax) })
    child.kill(signal)
    await exit.catch(() => {
      throw new Error(`${this.name} did not end within ${endMsMax} ms of ${signal}; ${this.logFile} says why`)
    })
  }
}
