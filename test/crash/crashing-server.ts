import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Endpoint } from '../../src/runtime/endpoint-files.ts'
import type { Credentials } from '../../src/signature/credentials.ts'

const script = fileURLToPath(new URL('killable-server.ts', import.meta.url))

/** A server that is killed again and again, and comes back on the same folder and ports. */
export class CrashingServer {
  readonly #flags: string[]
  #process: ChildProcess | undefined
  endpoint!: Endpoint
  credentials!: Credentials

  private constructor(flags: string[]) {
    this.#flags = flags
  }

  static async open(dataDir: string, functions: string): Promise<CrashingServer> {
    const [http, https] = [await freePort(), await freePort()]
    const ports = ['--http-port', String(http), '--https-port', String(https)]
    return new CrashingServer(['--data-dir', dataDir, '--functions', functions, ...ports])
  }

  /** Resolves when it is ready, or has died of its mine on the way: what is due at the start passes the points, too. */
  async start(point = 'never'): Promise<void> {
    const child = fork(script, [point, ...this.#flags], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: [],
    })
    this.#process = child
    await new Promise<void>((resolve) => {
      child.once('exit', () => resolve())
      child.once('message', (ready) => {
        Object.assign(this, ready)
        resolve()
      })
    })
  }

  kill(): void {
    this.#process?.kill('SIGKILL')
  }

  /** Resolves when the process is gone. */
  async died(): Promise<void> {
    const { exitCode, signalCode } = this.#process ?? {}
    if (this.#process && exitCode === null && signalCode === null) await once(this.#process, 'exit')
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
