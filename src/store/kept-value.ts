import type { Store } from './store.ts'

/**
 * The setting with this name; the first caller creates it with `first`. All later callers get the same value, on every
 * node and after every restart.
 */
export async function keepSetting(store: Store, name: string, first: () => Promise<string> | string): Promise<string> {
  const kept = await readSetting(store, name)
  if (kept !== undefined) return kept
  const value = await first()
  await store.transaction((transaction) => transaction.insertOnce('setting', { name, value }))
  return (await readSetting(store, name)) ?? value
}

async function readSetting(store: Store, name: string): Promise<string | undefined> {
  const row = await store.read.get<{ value: string }>('SELECT value FROM setting WHERE name = $1', name)
  return row?.value
}
