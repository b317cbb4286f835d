import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Migration {
  version: number
  name: string
  sql: string
}

/** The numbered files of migrations/, in order. There are no down migrations. */
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

/** A migration that was applied, from the table schema_migration. */
export type Applied = Pick<Migration, 'version' | 'name'>

/** The migrations that must be applied. Throws if the store is newer than this program, or older than the first release. */
export function pendingMigrations(applied: readonly Applied[]): Migration[] {
  const migrations = readMigrations()
  const foreign = applied.find(
    ({ version, name }) => version <= migrations.length && migrations[version - 1]?.name !== name,
  )
  if (foreign) {
    throw new Error(
      `the store was written by a Carillon from before its first release (${foreign.name}), which this one cannot read: start with an empty data folder or database`,
    )
  }
  const version = versionOf(applied)
  if (version > migrations.length) {
    throw new Error(
      `the store has schema ${version}, but this Carillon knows only ${migrations.length}: it was written by a newer one, start that`,
    )
  }
  return migrations.slice(version)
}

/** The version of the store's schema. */
export const versionOf = (applied: readonly Applied[]): number => Math.max(0, ...applied.map(({ version }) => version))
