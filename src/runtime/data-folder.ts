import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** The file by which other programs find a running server. */
export const endpointFile = 'endpoint.json'
/** The file whose lock a running server has. */
export const lockFile = 'lock'
/** `isTaken` of another process has the lock for a moment. */
const lockMsMax = 100

/** The folder that one running server has for itself. Keep it in reach until `close`: collected garbage locks nothing. */
export class DataFolder {
  /** Absolute. */
  readonly path: string
  readonly #lock: DatabaseSync

  constructor(path: string, lock: DatabaseSync) {
    this.path = path
    this.#lock = lock
  }

  /** The text of a file, or undefined if there is none. */
  read(name: string): string | undefined {
    return readText(join(this.path, name))
  }

  /**
   * Puts a file in place that only this user can read, with its folder if `name` has one. Who reads it sees the old
   * text or the new one, even after a power cut.
   */
  writeSecret(name: string, text: string): void {
    const target = join(this.path, name)
    const temporary = `${target}.new`
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 })
    // One left by a crash might have another mode.
    rmSync(temporary, { force: true })
    writeDurably(temporary, text)
    renameSync(temporary, target)
  }

  /** The path of a file that somebody else writes, made so that only this user can read it. */
  privateFile(name: string): string {
    const path = join(this.path, name)
    closeSync(openSync(path, 'a', 0o600))
    return path
  }

  /** Deletes a file, if there is one. */
  remove(name: string): void {
    rmSync(join(this.path, name), { force: true })
  }

  /** Lets another server have the folder. */
  close(): void {
    this.#lock.close()
  }
}

/**
 * Makes the folder if need be and takes it for this process alone, until `close` or until the process dies in any way.
 * Throws an error of one clear line if the folder is taken or cannot be used.
 */
export function openDataFolder(path: string): DataFolder {
  const absolute = resolve(path)
  try {
    mkdirSync(absolute, { recursive: true, mode: 0o700 })
    accessSync(absolute, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new Error(`the data folder ${absolute} cannot be made or written: ${(error as Error).message}`)
  }
  return new DataFolder(absolute, takeLock(absolute))
}

/**
 * An open SQLite transaction, since Node has no file locks of its own: a POSIX lock, which the system frees when the
 * process dies, which children do not inherit, and which SQLite also keeps from being taken twice in one process. A file
 * with a PID in it has none of these.
 */
function takeLock(folder: string): DatabaseSync {
  const lock = new DatabaseSync(join(folder, lockFile), { timeout: lockMsMax })
  try {
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    const isTaken = (error as { errcode?: number }).errcode === sqliteBusy
    throw new Error(
      isTaken
        ? `the data folder ${folder} is in use by another Carillon${holder(folder)}`
        : `the data folder ${folder} cannot be locked: ${(error as Error).message}`,
    )
  }
}

/** Whether a process has the folder for itself. */
export function isTaken(folder: string): boolean {
  const lock = new DatabaseSync(join(folder, lockFile), { timeout: 0, readOnly: true })
  try {
    lock.exec('SELECT count(*) FROM sqlite_schema')
    return false
  } catch (error) {
    if ((error as { errcode?: number }).errcode === sqliteBusy) return true
    throw error
  } finally {
    lock.close()
  }
}

const sqliteBusy = 5

function holder(folder: string): string {
  const pid = /"pid":\s*(\d+)/.exec(readText(join(folder, endpointFile)) ?? '')?.[1]
  return pid ? ` (process ${pid})` : ''
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function writeDurably(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    writeFileSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
