import { join } from 'node:path'
import type { DataFolder } from '../runtime/data-folder.ts'
import type { Log } from '../runtime/log.ts'

const markFile = 'functions-folder'

/**
 * Remembers across restarts which folder had functions: the file `functions-folder` in the data folder, with the path. If
 * the functions folder is empty or missing at the next start, its disk may not be mounted, or its path may be wrong.
 */
export class FunctionsMark {
  readonly file: string
  #data: Pick<DataFolder, 'path' | 'read' | 'writeSecret' | 'remove'>
  #log: Log
  /** The folder that the file names, or undefined without a file. */
  #marked: string | undefined
  #hasWarned = false

  constructor(data: Pick<DataFolder, 'path' | 'read' | 'writeSecret' | 'remove'>, log: Log) {
    this.file = join(data.path, markFile)
    this.#data = data
    this.#log = log
    this.#marked = data.read(markFile)?.trimEnd()
  }

  /** The folder that had functions when this server, or the one before it, last saw some. */
  get folder(): string | undefined {
    return this.#marked
  }

  set(folder: string): void {
    if (this.#marked !== folder) this.#change(folder, () => this.#data.writeSecret(markFile, `${folder}\n`))
  }

  clear(): void {
    if (this.#marked !== undefined) this.#change(undefined, () => this.#data.remove(markFile))
  }

  /** Tried again after the next reading of the functions folder if it fails, as on a full disk. */
  #change(marked: string | undefined, write: () => void): void {
    try {
      write()
      this.#marked = marked
    } catch (err) {
      if (!this.#hasWarned) this.#log.warn({ err, file: this.file }, 'could not note whether there are functions')
      this.#hasWarned = true
    }
  }
}
