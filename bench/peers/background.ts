import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Janitor } from '../system/janitor.ts'

const startMsMax = 60_000
const lookEveryMs = 100

/** A server of a peer, without output. */
export class Background {
  readonly #child: ChildProcess

  constructor(program: string, args: string[], environment: Record<string, string>, janitor: Janitor) {
    this.#child = spawn(program, args, { env: { PATH: process.env.PATH, ...environment }, stdio: 'ignore' })
    if (this.#child.pid === undefined) return
    janitor.watchProcess(this.#child.pid)
  }

  get pid(): number {
    return this.#child.pid as number
  }

  /** Resolves when the server responds. There is no other sign. */
  async ready(answers: () => Promise<boolean>): Promise<void> {
    for (let waitedMs = 0; waitedMs < startMsMax; waitedMs += lookEveryMs) {
      if (this.#child.exitCode !== null) throw new Error(`the peer's server ended with ${this.#child.exitCode}`)
      if (await answers().catch(() => false)) return
      await delay(lookEveryMs)
    }
    throw new Error(`the peer's server was not ready within ${startMsMax} ms`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
