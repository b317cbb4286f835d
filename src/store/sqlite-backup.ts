import { closeSync, constants, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openingError } from './sqlite-errors.ts'

/** Time limit of a backup for the lock of another process. */
const busyMsMax = 5_000

/**
 * Copies a snapshot of a SQLite file to a new path, while other processes read and write the file. Only this user can
 * read the copy. It gets its name when it is complete, checked and on disk; after a failure there is no copy.
 *
 * VACUUM INTO reads one snapshot, whatever is written in the meantime; SQLite's backup API would start again after every
 * write of another process. Deleted content is not in the copy.
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

/** Creates the file empty: VACUUM INTO accepts no other one. The second of two backups to one name fails here. */
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
    // Reads the header, so that an error of the source is not reported as an error of the copy.
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

/** Removes the number by which a server detects its own file (`FileMark`). */
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

/** Syncs a file's content, or the names in a folder. */
function sync(path: string): void {
  const file = openSync(path, constants.O_RDONLY)
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
