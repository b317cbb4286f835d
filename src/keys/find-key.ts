import type { Reader } from '../store/store.ts'
import type { DerivedSecrets } from './derived-secrets.ts'
import { type Grant, type OperatorRole, rootGrant } from './grant.ts'
import type { Credentials, FindKey, Key } from './key.ts'
import { readFunctionKey, readTemporaryKey, type TemporaryKey } from './temporary-keys.ts'

export interface KeySources {
  read: Reader
  root: Credentials
  secrets: DerivedSecrets
  /** The ids of the users as which a function may act, as its function.json says now. */
  actAsOf(functionName: string): readonly string[]
  now(): number
}

/** A row of access_key. */
export interface KeyRow {
  access_key_id: string
  secret_access_key: string
  kind: 'operator' | 'user' | 'callback'
  role: OperatorRole | null
  subject_arn: string | null
  user_id: number | null
  directory: number
  name: string | null
  created_at: number
  expires_at: number | null
}

/** The state of the AppInstanceUser that a key is for, as it is read beside the key. */
interface Holder {
  holder_id: number | null
  keys_not_before: number | null
}

/** Finds keys of every kind. Every call reads the store, so that a suspension counts at once. */
export function createFindKey(sources: KeySources): FindKey {
  const { secrets, actAsOf } = sources
  return async (accessKeyId, sessionToken) => {
    if (sessionToken === undefined) return findKept(sources, accessKeyId)
    const temporary = readTemporaryKey(secrets, accessKeyId, sessionToken)
    if (temporary) return findTemporary(sources, temporary)
    const ofFunction = readFunctionKey(secrets, accessKeyId, sessionToken, actAsOf)
    if (ofFunction) return { ...ofFunction, suspended: await isSuspended(sources.read, accessKeyId) }
    // Its caller finds that the token is not the one of the key.
    return findKept(sources, accessKeyId)
  }
}

/** The root key, or one with a row. */
async function findKept({ read, root, now }: KeySources, accessKeyId: string): Promise<Key | undefined> {
  const row = await read.get<Partial<KeyRow> & Holder & { suspended: number }>(
    `SELECT access_key.*, holder.user_id AS holder_id, holder.keys_not_before, asked.suspended
     FROM (SELECT count(*) AS suspended FROM suspended_key WHERE access_key_id = $1) AS asked
     LEFT JOIN access_key ON access_key.access_key_id = $1
     LEFT JOIN app_instance_user AS holder ON holder.user_id = access_key.user_id AND holder.deleted_at IS NULL`,
    accessKeyId,
  )
  const suspended = row?.suspended === 1
  if (accessKeyId === root.accessKeyId) return { ...root, name: 'root', grant: rootGrant, suspended }
  if (!row?.secret_access_key) return undefined
  const key = row as KeyRow & Holder
  if (key.user_id !== null && key.holder_id === null) return undefined
  return {
    accessKeyId,
    secretAccessKey: key.secret_access_key,
    grant: grantOf(key),
    name: key.name ?? undefined,
    expiresAtMs: key.expires_at ?? undefined,
    suspended: suspended || isHolderSuspended(key, now()),
  }
}

export function grantOf({ kind, role, subject_arn: subjectArn, directory }: KeyRow): Grant {
  if (kind === 'operator') return { kind, role: role!, appInstanceArn: subjectArn ?? undefined }
  if (kind === 'user') return { kind, userArn: subjectArn!, directory: directory === 1 }
  return { kind, subjectArn: subjectArn! }
}

/** Only rows can tell that a temporary key has ended early, with its parent or its user. */
async function findTemporary({ read, root, now }: KeySources, key: Key & TemporaryKey): Promise<Key | undefined> {
  const { parentId, userId, issuedAtMs } = key
  const row = await read.get<Holder & { suspended: number; parents: number }>(
    `SELECT holder.user_id AS holder_id, holder.keys_not_before, asked.suspended, asked.parents
     FROM (SELECT (SELECT count(*) FROM suspended_key WHERE access_key_id IN ($1, $2)) AS suspended,
       (SELECT count(*) FROM access_key WHERE access_key_id = $2) AS parents) AS asked
     LEFT JOIN app_instance_user AS holder ON holder.user_id = $3 AND holder.deleted_at IS NULL`,
    key.accessKeyId,
    parentId ?? null,
    userId ?? null,
  )
  if (!row) return undefined
  if (parentId !== undefined && parentId !== root.accessKeyId && row.parents === 0) return undefined
  if (userId !== undefined && row.holder_id === null) return undefined
  if (issuedAtMs < (row.keys_not_before ?? 0) && !isHolderSuspended(row, now())) return undefined
  return { ...key, suspended: row.suspended > 0 || isHolderSuspended(row, now()) }
}

const isHolderSuspended = ({ keys_not_before: notBefore }: Holder, nowMs: number) => (notBefore ?? 0) > nowMs

async function isSuspended(read: Reader, accessKeyId: string): Promise<boolean> {
  const row = await read.get('SELECT 1 FROM suspended_key WHERE access_key_id = $1', accessKeyId)
  return row !== undefined
}
