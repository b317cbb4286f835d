import { statSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { type Cancel, type Clock, every } from './clock.ts'
import type { Log } from './log.ts'

/** The pause between two checks whether the open files are those on disk. */
export const checkEveryMs = 1_000

/**
 * The path does not exist. All other errors say nothing about the file: EACCES, EIO and NFS's ESTALE may be temporary,
 * and if they are not, reads and writes fail.
 */
const goneCodes = new Set(['ENOENT', 'ENOTDIR', 'ELOOP'])

interface OpenFile {
  path: string
  dev: bigint
  ino: bigint
}

/**
 * Files and folders that this process has open, by path. A process can continue to write to a file that was removed or
 * replaced, and all of that is lost when it ends. Paths are checked by `stat` and never opened: closing a file would
 * release the locks that SQLite holds on it.
 */
export class OpenFiles {
  readonly #files: OpenFile[]
  readonly #comparesInodes: boolean

  /** The files must exist and be open. Without `keepsInodes` only their removal is noticed. */
  constructor(paths: readonly string[], { keepsInodes = true } = {}) {
    this.#comparesInodes = keepsInodes
    this.#files = paths.map((path) => {
      const { dev, ino } = statSync(path, { bigint: true })
      return { path, dev, ino }
    })
  }

  /** Describes the problem of the first file that is no longer on disk; undefined if all files are. */
  async problem(): Promise<string | undefined> {
    for (const file of this.#files) {
      const problem = await this.#problemOf(file)
      if (problem !== undefined) return `${file.path} was ${problem}`
    }
    return undefined
  }

  async #problemOf({ path, dev, ino }: OpenFile): Promise<string | undefined> {
    try {
      const found = await stat(path, { bigint: true })
      const isSame = !this.#comparesInodes || (found.dev === dev && found.ino === ino)
      return isSame ? undefined : 'replaced'
    } catch (error) {
      if (goneCodes.has((error as NodeJS.ErrnoException).code ?? '')) return 'removed or moved'
      throw error
    }
  }
}

interface Watch<Problem> {
  clock: Clock
  log: Pick<Log, 'warn'>
  /** Returns the problem, if there is one. Rejects if that is unknown. */
  check(): Promise<Problem | undefined>
  found(problem: Problem): void
}

/**
 * Checks once a second until there is a problem, one check at a time: a disk may hang. The returned function ends the
 * watch.
 */
export function watchFiles<Problem>({ clock, log, check, found }: Watch<Problem>): Cancel {
  let isChecking = false
  let isStopped = false
  let isUnknown = false
  const checkOnce = async (): Promise<Problem | undefined> => {
    try {
      const problem = await check()
      isUnknown = false
      return problem
    } catch (err) {
      if (!isUnknown) log.warn({ err }, 'it is unknown whether the data files are still in place')
      isUnknown = true
      return undefined
    }
  }
  const cancel = every(clock, checkEveryMs, async () => {
    if (isChecking) return
    isChecking = true
    const problem = await checkOnce()
    isChecking = false
    if (problem === undefined || isStopped) return
    stop()
    found(problem)
  })
  const stop = () => {
    isStopped = true
    cancel()
  }
  return stop
}
