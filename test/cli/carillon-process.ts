import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { compileCache } from '../support/compile-cache.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** A separate `carillon` process, with this environment and none of the test's. It ends with the test. */
export class CarillonProcess {
  readonly child: ChildProcess
  /** Its exit code. */
  readonly ended: Promise<unknown>
  stdout = ''
  stderr = ''

  /** `runner`: a command that starts it, such as `prlimit` with its arguments. */
  constructor(context: TestContext, args: string[], environment: Record<string, string>, runner: string[] = []) {
    const [command = '', ...rest] = [...runner, process.execPath, main, ...args]
    this.child = spawn(command, rest, { env: { ...compileCache, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] })
    context.after(() => this.child.kill('SIGKILL'))
    this.ended = once(this.child, 'close').then(([code, signal]) => code ?? signal)
    this.child.stdout!.setEncoding('utf8').on('data', (text) => {
      this.stdout += text
    })
    this.child.stderr!.setEncoding('utf8').on('data', (text) => {
      this.stderr += text
    })
  }

  /** Resolves when it has said so. */
  async ready(): Promise<this> {
    const early = this.ended.then(() => {
      throw new Error(`carillon ended before it was ready: ${this.stderr}`)
    })
    early.catch(() => {})
    while (!this.stdout.includes('carillon ready')) await Promise.race([once(this.child.stdout!, 'data'), early])
    return this
  }
}

/** Runs a whole `carillon` process; returns its exit code and its output. */
export async function runCarillon(
  context: TestContext,
  args: string[],
  environment: Record<string, string>,
  runner: string[] = [],
) {
  const carillon = new CarillonProcess(context, args, environment, runner)
  const status = await carillon.ended
  return { status, stdout: carillon.stdout, stderr: carillon.stderr }
}
