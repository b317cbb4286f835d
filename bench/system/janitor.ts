import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Left } from './janitor-process.ts'

/**
 * Clears up behind the benchmarks however they end: a process of its own that is told of each process and each folder,
 * and ends and deletes what is left when its parent is gone. Even a SIGKILL leaves nothing behind.
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
