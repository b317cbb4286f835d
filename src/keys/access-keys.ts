import { randomBytes } from 'node:crypto'
import type { Credentials, FindCredentials } from '../signature/credentials.ts'
import type { Reader, Store } from '../store/store.ts'

/** Has the form of AWS's long-term keys, which some clients check: 20 capital letters and digits, and 40 characters. */
export function newKeyPair(): Credentials {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const id = [...randomBytes(16)].map((byte) => digits[byte % digits.length]).join('')
  return { accessKeyId: `AKIA${id}`, secretAccessKey: randomBytes(30).toString('base64url') }
}

/** Finds the root key and all created keys. Every call reads the store, so that a suspension counts at once. */
export function findAccessKey(read: Reader, root: Credentials): FindCredentials {
  return async (accessKeyId) => {
    const row = await read.get<{ secret_access_key: string | null; suspended: number }>(
      `SELECT (SELECT secret_access_key FROM access_key WHERE access_key_id = $1) AS secret_access_key,
         (SELECT count(*) FROM suspended_key WHERE access_key_id = $1) AS suspended`,
      accessKeyId,
    )
    const secretAccessKey = accessKeyId === root.accessKeyId ? root.secretAccessKey : row?.secret_access_key
    return secretAccessKey ? { accessKeyId, secretAccessKey, suspended: row?.suspended === 1 } : undefined
  }
}

export async function createAccessKey(store: Store, now: number): Promise<Credentials> {
  const { accessKeyId, secretAccessKey } = newKeyPair()
  const row = { access_key_id: accessKeyId, secret_access_key: secretAccessKey, created_at: now }
  await store.transaction((transaction) => transaction.insert('access_key', row))
  return { accessKeyId, secretAccessKey }
}

/** Returns whether anything changed. Any id can be suspended, including that of the root key. */
export async function suspendAccessKey(store: Store, accessKeyId: string, now: number): Promise<boolean> {
  const row = { access_key_id: accessKeyId, suspended_at: now }
  return store.transaction((transaction) => transaction.insertOnce('suspended_key', row))
}

export async function resumeAccessKey(store: Store, accessKeyId: string): Promise<boolean> {
  const changed = await store.transaction((transaction) =>
    transaction.run('DELETE FROM suspended_key WHERE access_key_id = $1', accessKeyId),
  )
  return changed === 1
}

export interface ListedKey {
  accessKeyId: string
  createdAt: number
  suspended: boolean
}

/** Without the root key, which may come from the environment. */
export async function listAccessKeys(read: Reader): Promise<ListedKey[]> {
  const rows = await read.all<{ access_key_id: string; created_at: number; suspended_at: number | null }>(
    `SELECT access_key.access_key_id, created_at, suspended_at FROM access_key
     LEFT JOIN suspended_key ON suspended_key.access_key_id = access_key.access_key_id ORDER BY created_at`,
  )
  return rows.map((row) => ({
    accessKeyId: row.access_key_id,
    createdAt: row.created_at,
    suspended: row.suspended_at !== null,
  }))
}
