import { readFileSync } from 'node:fs'
import { readConfig } from '../config.ts'
import { existingStore, openStore } from '../open-store.ts'
import { systemClock } from '../runtime/clock.ts'
import { createLog } from '../runtime/log.ts'

/** `carillon migrate`: migrates the schema of the database, as the first node to start would. */
export async function migrate(args: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const { config } = readConfig(args, environment, (path) => readFileSync(path, 'utf8'))
  const surroundings = { clock: systemClock, log: await createLog('warn'), random: Math.random }
  const store = await openStore(existingStore(config), surroundings)
  const row = await store.read.get<{ version: number }>('SELECT max(version) AS version FROM schema_migration')
  await store.close()
  console.log(`The store has schema ${row?.version}, the schema of this version.`)
  return 0
}
