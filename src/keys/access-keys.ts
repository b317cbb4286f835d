import type { Reader, Transaction } from '../store/store.ts'
import { grantOf, type KeyRow } from './find-key.ts'
import { type Grant, type KeptGrant, subjectOf } from './grant.ts'
import type { Credentials } from './key.ts'
import { newKeyPair } from './key-ids.ts'
import { findSubject } from './subject.ts'

/*
 * Keys with a row. Each of these is the work of one transaction, which the caller opens: an operation adds its row of the
 * audit log to it, and so does the command line.
 */

/** What a new key is made of. */
export interface NewKey {
  grant: KeptGrant
  name?: string | undefined
  expiresAtMs?: number | undefined
}

/** A key with a row, without its secret. */
export interface ListedKey {
  accessKeyId: string
  grant: Grant
  name: string | undefined
  createdAtMs: number
  expiresAtMs: number | undefined
  suspended: boolean
}

/** Rows of revocation are kept so long. A node that reads them less often examines all sessions. */
const revocationsKeptMs = 3_600_000

/** Throws an UnknownSubject if the AppInstance, the user or the flow of the key does not exist. */
export async function createAccessKey(
  transaction: Transaction,
  { grant, name, expiresAtMs }: NewKey,
  now: number,
): Promise<Credentials> {
  const pair = newKeyPair()
  const { userId } = await findSubject(transaction, grant)
  const row: KeyRow = {
    access_key_id: pair.accessKeyId,
    secret_access_key: pair.secretAccessKey,
    kind: grant.kind,
    role: grant.kind === 'operator' ? grant.role : null,
    subject_arn: subjectOf(grant) ?? null,
    user_id: userId ?? null,
    directory: grant.kind === 'user' && grant.directory ? 1 : 0,
    name: name ?? null,
    created_at: now,
    expires_at: expiresAtMs ?? null,
  }
  await transaction.insert('access_key', { ...row })
  return pair
}

/** Returns whether anything changed. Any id can be suspended, including that of the root key. */
export async function suspendAccessKey(transaction: Transaction, accessKeyId: string, now: number): Promise<boolean> {
  const changed = await transaction.insertOnce('suspended_key', { access_key_id: accessKeyId, suspended_at: now })
  if (changed) await revoke(transaction, accessKeyId, now)
  return changed
}

export async function resumeAccessKey(transaction: Transaction, accessKeyId: string): Promise<boolean> {
  return (await transaction.run('DELETE FROM suspended_key WHERE access_key_id = $1', accessKeyId)) === 1
}

/** Returns whether there was such a key. The temporary keys that were made by it end with it. */
export async function deleteAccessKey(transaction: Transaction, accessKeyId: string, now: number): Promise<boolean> {
  const deleted = await transaction.run('DELETE FROM access_key WHERE access_key_id = $1', accessKeyId)
  if (deleted === 0) return false
  await resumeAccessKey(transaction, accessKeyId)
  await revoke(transaction, accessKeyId, now)
  return true
}

/** All keys of the user are suspended while its keys_not_before is in the future. */
const untilResumed = Number.MAX_SAFE_INTEGER

/** Suspends every key of the user, those that are made later too. Returns whether anything changed. */
export async function suspendUser(transaction: Transaction, userArn: string, now: number): Promise<boolean> {
  const changed = await setNotBefore(
    transaction,
    userArn,
    untilResumed,
    `coalesce(keys_not_before, 0) < ${untilResumed}`,
  )
  if (changed) await revoke(transaction, userArn, now)
  return changed
}

/** Keys with a row are accepted again; temporary keys that were issued before have ended for good. */
export const resumeUser = (transaction: Transaction, userArn: string, now: number): Promise<boolean> =>
  setNotBefore(transaction, userArn, now, `keys_not_before = ${untilResumed}`)

async function setNotBefore(transaction: Transaction, userArn: string, notBefore: number, condition: string) {
  const changed = await transaction.run(
    `UPDATE app_instance_user SET keys_not_before = $1
     WHERE app_instance_user_arn = $2 AND deleted_at IS NULL AND ${condition}`,
    notBefore,
    userArn,
  )
  return changed === 1
}

/** Makes every node close the sessions of the key, or of the user. */
async function revoke(transaction: Transaction, subject: string, now: number): Promise<void> {
  await transaction.run('DELETE FROM revocation WHERE revoked_at < $1', now - revocationsKeptMs)
  await transaction.run(
    'INSERT INTO revocation (number, subject, revoked_at) SELECT coalesce(max(number), 0) + 1, $1, $2 FROM revocation',
    subject,
    now,
  )
}

const listText = `SELECT access_key.*, suspended_at FROM access_key
  LEFT JOIN suspended_key ON suspended_key.access_key_id = access_key.access_key_id`

/** Where a page of the list begins: after the key with this time of creation and this id. */
export type KeyPosition = readonly [createdAtMs: number, accessKeyId: string]

/** The keys after this position, the oldest first, at most so many. Without the root key, which may come from the environment. */
export async function listAccessKeys(
  read: Reader,
  { after = [0, ''], keysMax, within }: { after?: KeyPosition; keysMax: number; within?: string | undefined },
): Promise<ListedKey[]> {
  const rows = await read.all<KeyRow & { suspended_at: number | null }>(
    `${listText} WHERE (created_at, access_key.access_key_id) > ($1, $2)
       AND ($3 = '' OR subject_arn = $3 OR substr(subject_arn, 1, length($3) + 1) = $3 || '/')
     ORDER BY created_at, access_key.access_key_id LIMIT $4`,
    ...after,
    within ?? '',
    keysMax,
  )
  return rows.map(listed)
}

export const positionOf = ({ createdAtMs, accessKeyId }: ListedKey): KeyPosition => [createdAtMs, accessKeyId]

export async function findAccessKey(read: Reader, accessKeyId: string): Promise<ListedKey | undefined> {
  const row = await read.get<KeyRow & { suspended_at: number | null }>(
    `${listText} WHERE access_key.access_key_id = $1`,
    accessKeyId,
  )
  return row && listed(row)
}

const listed = (row: KeyRow & { suspended_at: number | null }): ListedKey => ({
  accessKeyId: row.access_key_id,
  grant: grantOf(row),
  name: row.name ?? undefined,
  createdAtMs: row.created_at,
  expiresAtMs: row.expires_at ?? undefined,
  suspended: row.suspended_at !== null,
})
