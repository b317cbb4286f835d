import { readFileSync } from 'node:fs'
import { readConfig } from '../config.ts'
import { existingStore, openStore } from '../open-store.ts'
import { systemClock } from '../runtime/clock.ts'
import { createLog } from '../runtime/log.ts'
import type { Store } from '../store/store.ts'

/** Opens the store that these settings name, while its server may be running, and closes it after the work. */
export async function withStore<T>(
  args: string[],
  environment: NodeJS.ProcessEnv,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const { config } = readConfig(args, environment, (path) => readFileSync(path, 'utf8'))
  const store = await openStore(existingStore(config), {
    clock: systemClock,
    log: await createLog('warn'),
    random: Math.random,
    migrations: 'check',
  })
  return work(store).finally(() => store.close())
}
