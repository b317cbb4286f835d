import { ApiError, notFound } from '../../contract/api-error.ts'
import { appInstanceOf } from '../../contract/arn.ts'
import { findAccessKey, type ListedKey } from '../../keys/access-keys.ts'
import { type Grant, subjectOf } from '../../keys/grant.ts'
import type { Reader } from '../../store/store.ts'
import type { Context } from '../context.ts'
import { epochSeconds } from '../times.ts'
import type { KeySummary } from './key-shapes.ts'

export const keySummary = ({ accessKeyId, grant, name, createdAtMs, expiresAtMs, suspended }: ListedKey) => ({
  AccessKeyId: accessKeyId,
  Kind: grant.kind.toUpperCase() as KeySummary['Kind'],
  Role: grant.kind === 'operator' ? (grant.role.toUpperCase() as 'OPERATOR') : undefined,
  SubjectArn: subjectOf(grant),
  Directory: grant.kind === 'user' ? grant.directory : undefined,
  Name: name,
  Status: suspended ? ('SUSPENDED' as const) : ('ACTIVE' as const),
  CreatedTimestamp: epochSeconds(createdAtMs),
  ExpirationTimestamp: expiresAtMs === undefined ? undefined : epochSeconds(expiresAtMs),
})

/** The AppInstance whose keys the caller sees; undefined for all keys. */
export const scopeOf = ({ grant }: Context['credentials']): string | undefined =>
  grant.kind === 'operator' ? grant.appInstanceArn : undefined

/** Whether the caller sees what belongs to this AppInstance; undefined: to none. */
export function isInScope(credentials: Context['credentials'], appInstanceArn: string | undefined): boolean {
  const scope = scopeOf(credentials)
  return scope === undefined || scope === appInstanceArn
}

/**
 * Throws a NotFound if the caller is an operator of one AppInstance and the key is not of that. An operator of the whole
 * server may name any id: the root key, temporary keys and those of functions have no row.
 */
export async function requireKeyInScope(read: Reader, accessKeyId: string, { credentials }: Context): Promise<void> {
  const scope = scopeOf(credentials)
  if (scope === undefined) return
  const key = await findAccessKey(read, accessKeyId)
  if (!key || !isWithin(scope, key.grant)) throw unknownKey(accessKeyId)
}

function isWithin(appInstanceArn: string, grant: Grant): boolean {
  const subject = subjectOf(grant)
  return subject !== undefined && appInstanceOf(subject) === appInstanceArn
}

export const unknownKey = (accessKeyId: string) => notFound(`There is no access key ${accessKeyId}`)

/** A key that ends makes no key that ends later. */
export function requireEndWithin({ expiresAtMs: own }: Context['credentials'], expiresAtMs: number | undefined): void {
  if (own === undefined || (expiresAtMs !== undefined && expiresAtMs <= own)) return
  throw new ApiError(
    'Forbidden',
    `The calling key ends at ${new Date(own).toISOString()}: it cannot create a key that ends later`,
  )
}
