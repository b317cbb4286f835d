import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Left } from './janitor-process.ts'

/**
 * Cleans up however the benchmarks end: a child process with a list of all processes and folders. When its parent is
 * gone, even by SIGKILL, it kills and deletes what is left.
 */
export class Janitor {
  readonly #child: ChildProcess

  constructor() {
    const script = fileURLToPath(new URL('janitor-process.ts', import.meta.url))
    // A group of its own: Ctrl-C at the terminal is not for it.
    this.#child = fork(script, { execArgv: [], detached: true, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.#child.unref()
    this.#child.channel?.unref()
  }

  watchProcess(pid: number): void {
    this.#child.send({ pid } satisfies Left)
  }

  watchFolder(folder: string): void {
    this.#child.send({ folder } satisfies Left)
  }

  /** A work tree of the repository that git has to forget. */
  watchWorkTree(workTree: string, repository: string): void {
    this.#child.send({ workTree, repository } satisfies Left)
  }

  /** Resolves when nothing is left. */
  async clearUp(): Promise<void> {
    if (!this.#child.connected) return
    const exited = once(this.#child, 'exit')
    this.#child.ref()
    this.#child.disconnect()
    await exited
  }
}
