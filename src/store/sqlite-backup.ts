import { closeSync, constants, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openingError } from './sqlite-errors.ts'

/** How long a backup waits for the moment in which another process has the file for itself. */
const busyMsMax = 5_000

/**
 * Copies a SQLite file, as it was at one moment, to a path that is free, while others read and write it. Only this user
 * can read the copy. It has its name once it is whole, was looked over and is on disk; else it does not come to be.
 *
 * VACUUM INTO reads one snapshot however much is written meanwhile, where SQLite's backup API would begin anew with
 * every write of another process. What was deleted is not in the copy.
 */
export function backUpSqlite(from: string, to: string): void {
  if (existsSync(to)) throw new Error(`${to} is there already: give another name, or delete it first`)
  const temporary = `${to}.new`
  makePrivate(temporary)
  try {
    copy(from, temporary)
    removeMark(temporary)
    lookOver(temporary)
    sync(temporary)
    renameSync(temporary, to)
    sync(dirname(to))
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/** Empty, which is all that VACUUM INTO puts up with. Two backups to one name meet here. */
function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST'
    throw isThere
      ? new Error(`${path} is there: another backup to this name is under way, or was cut off; then delete it`)
      : new Error(`the backup cannot be written: ${(error as Error).message}`)
  }
}

function copy(from: string, to: string): void {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(from, { readOnly: true, timeout: busyMsMax })
    // Reads the header, so that an error of the source is not reported as one of the copy.
    database.prepare('PRAGMA schema_version').get()
  } catch (error) {
    database?.close()
    throw openingError(from, error)
  }
  try {
    database.prepare('VACUUM INTO ?').run(to)
  } catch (error) {
    throw openingError(to, error)
  } finally {
    database.close()
  }
}

/** The number by which a server knows its own file (`FileMark`): the copy is none of its files. */
function removeMark(path: string): void {
  const database = new DatabaseSync(path)
  try {
    database.exec('PRAGMA user_version = 0')
  } finally {
    database.close()
  }
}

function lookOver(path: string): void {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    const { integrity_check: result } = database.prepare('PRAGMA integrity_check(1)').get() ?? {}
    if (result !== 'ok') throw new Error(`the copy is damaged, and so perhaps is the database: ${result}`)
  } finally {
    database.close()
  }
}

/** A file's content, or the names in a folder. */
function sync(path: string): void {
  const file = openSync(path, constants.O_RDONLY)
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
