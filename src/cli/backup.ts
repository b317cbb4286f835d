import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ConfigError, readConfig } from '../config.ts'
import { backUpStore, storeFile } from '../open-store.ts'

const usage = `npx carillon backup FILE    copies the database of a data folder, also while the server runs

It accepts --data-dir. docs/operations.md says how to restore a backup.`

/** `carillon backup`: one file with all data: messages, held ones included, and the keys. */
export async function backup([file = '', ...rest]: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  if (file === '' || file.startsWith('-')) throw new ConfigError([usage])
  const { config } = readConfig(rest, environment, (path) => readFileSync(path, 'utf8'))
  if (config.databaseUrl !== undefined) {
    throw new Error("the data is in PostgreSQL: back it up with pg_dump, or with PostgreSQL's other tools")
  }
  const source = join(resolve(config.dataDir), storeFile)
  if (!existsSync(source)) throw new Error(`${resolve(config.dataDir)} has no data to back up: set --data-dir`)
  const target = resolve(file)
  backUpStore(source, target)
  console.log(`${target} is a backup, ${statSync(target).size} bytes.
All messages and the secret keys are in it: keep it where only you can read it.`)
  return 0
}
