import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { unlessRequired } from './required.ts'

const program = 'nats-server'
const readyMsMax = 20_000
const portTriesMax = 10

/** The reason to skip a test that kills and starts a NATS server; false if it can run. */
export const withoutNatsServer = unlessRequired(
  spawnSync(program, ['--version']).status === 0
    ? false
    : `there is no ${program} in the PATH: install it from nats.io`,
)

/** The same, for tests that only use a server: CARILLON_TEST_NATS_URL names one that runs already. */
export const withoutNats: string | false = process.env.CARILLON_TEST_NATS_URL
  ? false
  : withoutNatsServer && `${withoutNatsServer}, or set CARILLON_TEST_NATS_URL`

/** The URL of a running server, a shared one or the test's own. */
export async function natsUrl(context: TestContext): Promise<string> {
  return process.env.CARILLON_TEST_NATS_URL ?? (await startNatsServer(context)).url
}

/** A server that the test starts. It ends with the test. */
export async function startNatsServer(context: TestContext, config?: NatsConfig): Promise<NatsServer> {
  const server = new NatsServer(config)
  context.after(() => server.close())
  await server.start()
  return server
}

interface NatsConfig {
  /** Lines of its configuration file, without the port. */
  lines?: string[]
  scheme?: 'nats' | 'tls'
  /** `user:password` or a token, in the form of a URL. */
  credentials?: string
}

/** A real nats-server on 127.0.0.1. After a restart it has the same port, and no state. */
export class NatsServer {
  readonly #config: NatsConfig
  readonly #folder = mkdtempSync(join(tmpdir(), 'carillon-nats-'))
  readonly #killWithThisProcess = () => void this.#process?.kill('SIGKILL')
  #port: number | undefined
  #process: ChildProcess | undefined

  constructor(config: NatsConfig = {}) {
    this.#config = config
    process.once('exit', this.#killWithThisProcess)
  }

  get url(): string {
    const { scheme = 'nats', credentials } = this.#config
    return `${scheme}://${credentials === undefined ? '' : `${credentials}@`}127.0.0.1:${this.port}`
  }

  get port(): number {
    if (this.#port === undefined) throw new Error(`${program} was never started`)
    return this.#port
  }

  /** Resolves when the server accepts connections. */
  async start(): Promise<void> {
    if (this.#process) throw new Error(`${program} runs already`)
    if (this.#port !== undefined) return this.#startAt(this.#port)
    for (let triesLeft = portTriesMax; this.#port === undefined; triesLeft -= 1) {
      const port = somePort()
      try {
        await this.#startAt(port)
        this.#port = port
      } catch (error) {
        if (triesLeft === 1 || !String(error).includes('address already in use')) throw error
      }
    }
  }

  /** Ends the server at once, as a crash does. Resolves when it has ended and its connections are broken. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /**
   * The server keeps its connections and responds to nothing, like a machine that hangs or a network that drops
   * everything.
   */
  freeze(): void {
    this.#process?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#process?.kill('SIGCONT')
  }

  async close(): Promise<void> {
    process.off('exit', this.#killWithThisProcess)
    await this.#end('SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #startAt(port: number): Promise<void> {
    const configFile = join(this.#folder, 'nats.conf')
    writeFileSync(configFile, (this.#config.lines ?? []).join('\n'))
    const options = ['--addr', '127.0.0.1', '--port', `${port}`, '--config', configFile]
    this.#process = spawn(program, options, { stdio: ['ignore', 'ignore', 'pipe'] })
    try {
      await untilReady(this.#process)
    } catch (error) {
      await this.#end('SIGKILL')
      throw error
    }
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const ended = this.#process
    this.#process = undefined
    if (!ended || ended.exitCode !== null || ended.signalCode !== null || ended.pid === undefined) return
    const exit = once(ended, 'exit')
    ended.kill(signal)
    await exit
  }
}

/**
 * Below the ports that the system uses for outgoing connections: while the server is down, a client that retries on one
 * of those would one day connect to itself, and other processes could take the port.
 */
const somePort = () => randomInt(10_000, 32_000)

async function untilReady(server: ChildProcess): Promise<void> {
  const said: string[] = []
  const fail = (why: string) => new Error(`${program} ${why}; it said:\n${said.join('\n')}`)
  const ready = Promise.withResolvers<void>()
  const timer = setTimeout(() => ready.reject(fail(`was not ready within ${readyMsMax} ms`)), readyMsMax)
  // The log is read on to its end, so that the server never waits for a full pipe.
  createInterface({ input: server.stderr! })
    .on('line', (line) => {
      if (said.length < 50) said.push(line)
      if (line.includes('Server is ready')) ready.resolve()
    })
    .on('close', () => ready.reject(fail('ended')))
  server.on('error', (error) => ready.reject(fail(`could not be started: ${error.message}`)))
  try {
    await ready.promise
  } finally {
    clearTimeout(timer)
  }
}
