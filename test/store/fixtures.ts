import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(import.meta.dirname, 'fixtures')

/** The fixture of this schema, as SQL. */
export const fixturePath = (version: number): string => join(folder, `${String(version).padStart(3, '0')}.sql`)

/** The schemas with a fixture. */
export const fixtureVersions = (): number[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .map((file) => Number.parseInt(file, 10))
