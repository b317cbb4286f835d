import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Endpoint } from '../../src/runtime/endpoint-files.ts'
import type { Version } from '../bench.ts'
import { region, rootKeys } from '../wire/calls.ts'
import type { Janitor } from './janitor.ts'
import { cpuTimeOf } from './process-tree.ts'

const startMsMax = 120_000
const lastLinesMax = 50
const collector = fileURLToPath(new URL('../programs/collect-garbage.ts', import.meta.url))
/**
 * For comparisons of memory. V8's space for new objects grows to 50 MB with the first thousands of connects, at its own
 * pace, whether there are 2,000 sessions or 50,000: these flags keep it at its minimum.
 */
export const memoryFlags = ['--expose-gc', '--max-semi-space-size=1']
const noFunctions = 'no-functions'

export interface CarillonOptions {
  /** The program: `src/main.ts` or `dist/main.js` of some version. */
  main: string
  dataDir: string
  /** The endpoint of functions that are not in the folder. */
  lambdaEndpoint?: string
  /** Undefined: an empty one. */
  functions?: string
  databaseUrl?: string
  tls?: boolean
  environment?: Record<string, string>
  /** The folder for the CPU profile. */
  profileFolder?: string | undefined
  /** The name of the profile. */
  profileName?: string
  /** Makes `collectGarbage` work, and the memory comparable: see `memoryFlags`. */
  measuresMemory?: boolean
}

/** The program of a version as it is written: Node runs the TypeScript. */
export const mainOf = ({ root }: Version): string => join(root, 'src/main.ts')

/** A server in a separate process, started as an operator does. Its log goes into a pipe that is drained. */
export class CarillonProcess {
  readonly #child: ChildProcess
  readonly #dataDir: string
  readonly #lastLines: string[] = []
  readonly #ready = Promise.withResolvers<void>()
  #collected = Promise.withResolvers<void>()
  readonly #profiles: boolean
  /** The time from the start of the process until it reported that it is ready, in ms. */
  readyMs = 0
  /** The processor time that it had taken by then, in ms. */
  readyCpuMs = 0

  private constructor(options: CarillonOptions, janitor: Janitor) {
    const began = performance.now()
    this.#dataDir = options.dataDir
    this.#profiles = options.profileFolder !== undefined
    this.#child = spawn(process.execPath, argumentsOf(options), {
      env: { PATH: process.env.PATH, ...settingsOf(options), ...options.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    janitor.watchProcess(this.pid)
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      createInterface({ input: stream as NodeJS.ReadableStream }).on('line', (line) => this.#read(line, began))
    }
    const fail = (reason: string) => this.#ready.reject(new Error(`${reason}:\n${this.#lastLines.join('\n')}`))
    this.#child.once('error', (error) => fail(error.message))
    this.#child.once('exit', (code, signal) => fail(`the server ended with ${signal ?? code}`))
  }

  /** Resolves when it is ready. */
  static async start(options: CarillonOptions, janitor: Janitor): Promise<CarillonProcess> {
    mkdirSync(join(options.dataDir, noFunctions), { recursive: true })
    const server = new CarillonProcess(options, janitor)
    const late = () => server.#ready.reject(new Error(`the server was not ready within ${startMsMax} ms`))
    const timer = setTimeout(late, startMsMax)
    try {
      await server.#ready.promise
      return server
    } catch (error) {
      await server.kill()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  get pid(): number {
    return this.#child.pid as number
  }

  get endpoint(): Endpoint {
    return JSON.parse(readFileSync(join(this.#dataDir, 'endpoint.json'), 'utf8')) as Endpoint
  }

  /** Resolves when garbage has been collected, so that memory can be compared. */
  async collectGarbage(): Promise<void> {
    this.#collected = Promise.withResolvers()
    this.#child.kill('SIGUSR2')
    await this.#collected.promise
  }

  /** As its operator stops it. */
  stop(): Promise<void> {
    return this.#end('SIGTERM')
  }

  /** As if the power went. */
  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  /** A profile is written at an orderly end alone. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#profiles ? this.stop() : this.kill()
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const { exitCode, signalCode } = this.#child
    if (exitCode !== null || signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill(signal)
    await exited
  }

  #read(line: string, began: number): void {
    if (this.#lastLines.push(line) > lastLinesMax) this.#lastLines.shift()
    if (line.startsWith('carillon ready')) {
      this.readyMs = performance.now() - began
      this.readyCpuMs = cpuTimeOf(this.pid).own / 1000
      this.#ready.resolve()
    } else if (line === 'garbage collected') this.#collected.resolve()
  }
}

function argumentsOf({ main, profileFolder, profileName = 'server', measuresMemory }: CarillonOptions): string[] {
  const name = `${profileName.replaceAll(/\W+/g, '-')}.\${pid}.cpuprofile`
  const profile =
    profileFolder === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', profileFolder, '--cpu-prof-name', name]
  const collect = measuresMemory ? [...memoryFlags, '--import', collector] : []
  return [...profile, ...collect, main, 'serve']
}

/** Variables, not flags: an older version warns of a variable that it does not know, and refuses a flag. */
function settingsOf(options: CarillonOptions): Record<string, string> {
  const { dataDir, functions = join(dataDir, noFunctions), tls = false, lambdaEndpoint, databaseUrl } = options
  return {
    CARILLON_DATA_DIR: dataDir,
    CARILLON_FUNCTIONS: functions,
    CARILLON_HTTP_PORT: '0',
    CARILLON_HTTPS_PORT: '0',
    CARILLON_ADMIN_PORT: '0',
    CARILLON_TLS: tls ? 'on' : 'off',
    CARILLON_REGION: region,
    CARILLON_LOG_FORMAT: 'json',
    // All clients of a benchmark have one address: what protects from a single one must not be what is measured.
    CARILLON_CONNECTIONS: '40000',
    CARILLON_CONNECTIONS_PER_ADDRESS: '10000',
    CARILLON_ACCESS_KEY_ID: rootKeys.accessKeyId,
    CARILLON_SECRET_ACCESS_KEY: rootKeys.secretAccessKey,
    ...(lambdaEndpoint !== undefined && { CARILLON_LAMBDA_ENDPOINT: lambdaEndpoint }),
    ...(databaseUrl !== undefined && { CARILLON_DATABASE_URL: databaseUrl }),
  }
}
