import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Migration {
  version: number
  name: string
  sql: string
}

/** The numbered files of migrations/, in order. They only ever go forward. */
export function readMigrations(): Migration[] {
  const folder = join(import.meta.dirname, 'migrations')
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file, index) => {
      const version = Number.parseInt(file, 10)
      if (version !== index + 1) throw new Error(`migrations/${file} should be number ${index + 1}`)
      return { version, name: file, sql: readFileSync(join(folder, file), 'utf8') }
    })
}

/** The migrations that a store at `version` still lacks. Throws if the store is ahead of this program. */
export function pendingMigrations(version: number): Migration[] {
  const migrations = readMigrations()
  if (version > migrations.length) {
    throw new Error(
      `the store has schema ${version}, but this Carillon knows only ${migrations.length}: it was written by a newer one, start that`,
    )
  }
  return migrations.slice(version)
}
