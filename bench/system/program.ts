import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Janitor } from './janitor.ts'

/** The calls that a program serves for its parent: each has one input and one output. */
// biome-ignore lint/suspicious/noExplicitAny: the inputs of different calls have nothing in common
export type Calls = Record<string, (input: any) => Promise<unknown>>

interface Request {
  id: number
  name: string
  input: unknown
}

type Reply = { id: number; output: unknown } | { id: number; error: string }

/** A program of the benchmarks in a process of its own, which its parent calls. It ends with its parent. */
export class Program<Served extends Calls> {
  readonly #child: ChildProcess
  readonly #name: string
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #lastId = 0

  /** `script` is a URL below bench/. */
  constructor(script: URL, janitor: Janitor, execArgv: string[] = []) {
    this.#name = fileURLToPath(script)
    this.#child = fork(this.#name, { execArgv, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    janitor.watchProcess(this.pid)
    this.#child.on('message', (reply: Reply) => this.#settle(reply))
    this.#child.on('exit', (code, signal) => this.#fail(new Error(`${this.#name} ended with ${signal ?? code}`)))
  }

  get pid(): number {
    return this.#child.pid as number
  }

  call<Name extends keyof Served & string>(
    name: Name,
    input: Parameters<Served[Name]>[0],
  ): Promise<Awaited<ReturnType<Served[Name]>>> {
    const waiting = Promise.withResolvers<unknown>()
    this.#lastId += 1
    this.#waiting.set(this.#lastId, waiting)
    this.#child.send({ id: this.#lastId, name, input } satisfies Request)
    return waiting.promise as Promise<Awaited<ReturnType<Served[Name]>>>
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id)
    this.#waiting.delete(reply.id)
    if ('error' in reply) waiting?.reject(new Error(`${this.#name}: ${reply.error}`))
    else waiting?.resolve(reply.output)
  }

  #fail(error: Error): void {
    for (const waiting of this.#waiting.values()) waiting.reject(error)
    this.#waiting.clear()
  }
}

/** The other side: serves the calls of the parent until the parent is gone. */
export function serveParent<Served extends Calls>(served: Served): void {
  process.on('disconnect', () => process.exit())
  process.on('message', async ({ id, name, input }: Request) => {
    try {
      process.send?.({ id, output: await served[name]?.(input) } satisfies Reply)
    } catch (error) {
      process.send?.({
        id,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      } satisfies Reply)
    }
  })
}
