import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Credentials } from '../../src/keys/key.ts'
import type { Endpoint } from '../../src/runtime/endpoint-files.ts'

const script = fileURLToPath(new URL('killable-server.ts', import.meta.url))

/** A server that is killed again and again, and comes back on the same folder and ports. */
export class CrashingServer {
  readonly #flags: string[]
  #process: ChildProcess | undefined
  #isOver = false
  #up = Promise.withResolvers<void>()
  /** Resolves when the process that was started last is gone. */
  died: Promise<unknown> = Promise.resolve()
  endpoint!: Endpoint
  credentials!: Credentials

  private constructor(flags: string[]) {
    this.#flags = flags
  }

  static async open(flags: string[]): Promise<CrashingServer> {
    const [http, https] = [await freePort(), await freePort()]
    return new CrashingServer([...flags, '--http-port', String(http), '--https-port', String(https)])
  }

  /** Resolves when there is a process that serves. */
  get up(): Promise<void> {
    return this.#up.promise
  }

  /** Resolves when it is ready, or has died of its mine on the way: what is due at the start passes the points, too. */
  async start(point = 'never'): Promise<void> {
    if (this.#isOver) throw new Error('the test is over: no server is started any more')
    const child = fork(script, [point, ...this.#flags], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: [],
    })
    this.#process = child
    this.died = once(child, 'exit').then(() => {
      this.#up = Promise.withResolvers()
    })
    const ready = once(child, 'message').then(([message]) => {
      Object.assign(this, message)
      this.#up.resolve()
    })
    await Promise.race([ready, this.died])
  }

  async kill(): Promise<void> {
    this.#process?.kill('SIGKILL')
    await this.died
  }

  /** For good: what goes on of a test that failed or passed its limit cannot start it again. */
  async end(): Promise<void> {
    this.#isOver = true
    await this.kill()
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
