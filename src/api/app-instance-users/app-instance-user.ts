import { ApiError, forbidden } from '../../contract/api-error.ts'
import type { Identity } from '../../contract/structures/identity.ts'
import type { Reader, Transaction } from '../../store/store.ts'
import { fromJson, fromJsonText } from '../json-text.ts'
import { epochSeconds } from '../times.ts'
import { userExpirationToWire } from './user-expiration.ts'

export interface AppInstanceUserRow {
  user_id: number
  app_instance_user_arn: string
  app_instance_arn: string
  name: string
  metadata: string | null
  /** The number of its memberships. */
  memberships: number
  created_at: number
  updated_at: number
  /** The user is deleted so many days after its creation. */
  expiration_days: number | null
}

/** The columns for an Identity. */
export type NamedUser = Pick<AppInstanceUserRow, 'user_id' | 'app_instance_user_arn' | 'name'>

/** Neither the user nor its AppInstance is deleted. */
export const findUser = (read: Reader, arn: string): Promise<AppInstanceUserRow | undefined> =>
  read.get(
    `SELECT app_instance_user.* FROM app_instance_user
     JOIN app_instance ON app_instance.app_instance_arn = app_instance_user.app_instance_arn
     WHERE app_instance_user_arn = $1 AND deleted_at IS NULL`,
    arn,
  )

/** Throws a Forbidden if there is none: the identity API declares no NotFound for it. */
export async function requireUser(read: Reader, arn: string): Promise<AppInstanceUserRow> {
  const user = await findUser(read, arn)
  if (!user) throw forbidden()
  return user
}

/** The user that a parameter names. Throws a Forbidden, in AWS's words, if this AppInstance has no such user. */
export async function requireUserOf(read: Reader, appInstanceArn: string, arn: string): Promise<AppInstanceUserRow> {
  const user = await findUser(read, arn)
  if (user?.app_instance_arn !== appInstanceArn) throw invalidUserArn()
  return user
}

/**
 * Locks the user's row until the end of the transaction. Another transaction that adds the user to a channel, makes it a
 * moderator or bans it waits, or is retried.
 */
export async function lockUser(transaction: Transaction, userId: number): Promise<void> {
  await transaction.run('UPDATE app_instance_user SET memberships = memberships WHERE user_id = $1', userId)
}

export const invalidUserArn = () =>
  new ApiError('Forbidden', 'An invalid app instance user ARN was supplied for the input parameter.')

export const identityOf = (user: Omit<NamedUser, 'user_id'>): Required<Identity> => ({
  Arn: user.app_instance_user_arn,
  Name: fromJsonText(user.name),
})

/** AWS's AppInstanceUserSummary. */
export const appInstanceUserSummary = (row: AppInstanceUserRow) => ({
  AppInstanceUserArn: row.app_instance_user_arn,
  Name: fromJsonText(row.name),
  Metadata: fromJson<string>(row.metadata),
})

/** AWS's AppInstanceUser. */
export const appInstanceUserToWire = (row: AppInstanceUserRow) => ({
  ...appInstanceUserSummary(row),
  CreatedTimestamp: epochSeconds(row.created_at),
  LastUpdatedTimestamp: epochSeconds(row.updated_at),
  ExpirationSettings: userExpirationToWire(row),
})
