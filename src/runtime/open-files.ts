import { statSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { type Cancel, type Clock, every } from './clock.ts'
import type { Log } from './log.ts'

/** The pause between two checks whether the open files are those on disk. */
export const lookEveryMs = 1_000

/**
 * The path leads nowhere. All other errors say nothing about the file: EACCES, EIO and NFS's ESTALE may pass, and where they
 * do not, reads and writes fail.
 */
const goneCodes = new Set(['ENOENT', 'ENOTDIR', 'ELOOP'])

interface OpenFile {
  path: string
  dev: bigint
  ino: bigint
}

/**
 * Files and folders that this process has open, by path. A process can go on writing to a file that was removed or
 * replaced, and all of that is lost when it ends. Paths are looked up and never opened: closing a file would drop the
 * locks that SQLite has on it.
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

  /** What happened to the first file that is not on disk any more, in words; undefined if all are. */
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
  look(): Promise<Problem | undefined>
  found(problem: Problem): void
}

/** Looks once a second until there is a problem, one look at a time: a disk may hang. The returned function ends the watch. */
export function watchFiles<Problem>({ clock, log, look, found }: Watch<Problem>): Cancel {
  let isLooking = false
  let isOver = false
  let isUnknown = false
  const lookOnce = async (): Promise<Problem | undefined> => {
    try {
      const problem = await look()
      isUnknown = false
      return problem
    } catch (err) {
      if (!isUnknown) log.warn({ err }, 'it is unknown whether the data files are still in place')
      isUnknown = true
      return undefined
    }
  }
  const cancel = every(clock, lookEveryMs, async () => {
    if (isLooking) return
    isLooking = true
    const problem = await lookOnce()
    isLooking = false
    if (problem === undefined || isOver) return
    stop()
    found(problem)
  })
  const stop = () => {
    isOver = true
    cancel()
  }
  return stop
}
