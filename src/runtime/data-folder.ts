import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Other programs read this file to find a running server. */
export const endpointFile = 'endpoint.json'
/** A running server holds the lock on this file. */
export const lockFile = 'lock'
/** `isTaken` of another process holds the lock for a moment. */
const lockMsMax = 100

/** The locked folder of one running server. Keep a reference until `close`: the lock ends with the object. */
export class DataFolder {
  /** Absolute and without symbolic links: a link that is switched does not move a running server. */
  readonly path: string
  readonly #lock: DatabaseSync
  #isLost = false

  constructor(path: string, lock: DatabaseSync) {
    this.path = path
    this.#lock = lock
  }

  /** The paths that must stay on disk as long as this process holds the lock. */
  get openPaths(): string[] {
    return [this.path, lockPath(this.path)]
  }

  /** The folder was removed, moved or replaced: from now on nothing is written or removed at its path. */
  lose(): void {
    this.#isLost = true
  }

  /** The text of a file, or undefined if there is none. */
  read(name: string): string | undefined {
    return readText(join(this.path, name))
  }

  /**
   * Replaces a file that only this user can read, and creates its folder if `name` has one. Readers see the old text or
   * the new one, even after a power cut.
   */
  writeSecret(name: string, text: string): void {
    if (this.#isLost) throw new Error(`the data folder ${this.path} is not the one on disk any more`)
    const target = join(this.path, name)
    const temporary = `${target}.new`
    makeFolder(dirname(target))
    // A file that a crash left behind might have another mode.
    rmSync(temporary, { force: true })
    writeDurably(temporary, text)
    renameSync(temporary, target)
  }

  /** Creates a file that only this user can read, for another module to write. Returns its path. */
  privateFile(name: string): string {
    const path = join(this.path, name)
    closeSync(openSync(path, 'a', 0o600))
    return path
  }

  /** Deletes a file, if there is one. */
  remove(name: string): void {
    if (!this.#isLost) rmSync(join(this.path, name), { force: true })
  }

  /** Releases the lock. */
  close(): void {
    this.#lock.close()
  }
}

/**
 * Creates the folder if it is missing and locks it for this process, until `close` or until the process dies in any
 * way. Throws an error of one clear line if the folder is locked or cannot be used.
 */
export function openDataFolder(path: string): DataFolder {
  const absolute = resolve(path)
  try {
    makeFolder(absolute)
    accessSync(absolute, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new Error(`the data folder ${absolute} cannot be created or written: ${(error as Error).message}`)
  }
  const real = realpathSync(absolute)
  return new DataFolder(real, acquireLock(real))
}

/**
 * Creates the parent folders as well. Node's own recursive mkdir loops for ever below a folder that accepts no new one,
 * such as /proc: after ENOENT it creates the parent folder, which exists, and retries.
 */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && isFolder(path)) return
    const parent = dirname(path)
    if (code !== 'ENOENT' || parent === path || exists(parent)) throw error
    makeFolder(parent)
    makeFolder(path)
  }
}

function isFolder(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found) throw new Error(`${path} is a dangling symbolic link`)
  return found.isDirectory()
}

const exists = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined

const lockPath = (folder: string): string => join(folder, lockFile)

/**
 * The lock is an open SQLite transaction, because Node has no file locks of its own. It is a POSIX lock: the system
 * releases it when the process dies, children do not inherit it, and SQLite refuses a second one in the same process. A
 * file with a PID has none of these properties.
 */
function acquireLock(folder: string): DatabaseSync {
  let lock: DatabaseSync | undefined
  try {
    lock = new DatabaseSync(lockPath(folder), { timeout: lockMsMax })
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock?.close()
    throw new Error(lockFailure(folder, error as Error & { errcode?: number }))
  }
}

/** Whether a process holds the lock of the folder. */
export function isTaken(folder: string): boolean {
  const lock = new DatabaseSync(lockPath(folder), { timeout: 0, readOnly: true })
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

function lockFailure(folder: string, { errcode = 0, message }: Error & { errcode?: number }): string {
  // The lower byte is the primary code; the rest is the extended code.
  const code = errcode & 0xff
  if (code === sqliteBusy) return `the data folder ${folder} is in use by another Carillon${holder(folder)}`
  if (code === sqliteCannotOpen) return `no file can be created in the data folder ${folder}: choose another --data-dir`
  if (code === sqliteNotADatabase) return `${lockPath(folder)} is not the lock of a Carillon: choose another --data-dir`
  const advice = code === sqliteIoError ? '; if it is on a network file system, use a local disk' : ''
  return `the data folder ${folder} cannot be locked: ${message} (SQLite code ${errcode})${advice}`
}

const sqliteIoError = 10
const sqliteCannotOpen = 14
const sqliteNotADatabase = 26
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
