import type { AppInstanceUserExpirationSettings } from '../../contract/structures/app-instance-users.ts'
import type { Transaction } from '../../store/store.ts'
import { cancelWork, scheduleWork } from '../../store/work.ts'
import { dayMs } from '../times.ts'
import type { AppInstanceUserRow } from './app-instance-user.ts'

/** The expiration of a user only depends on its creation. */
export const userExpirationToWire = ({
  expiration_days,
}: Pick<AppInstanceUserRow, 'expiration_days'>): AppInstanceUserExpirationSettings | undefined =>
  expiration_days === null ? undefined : { ExpirationDays: expiration_days, ExpirationCriterion: 'CREATED_TIMESTAMP' }

/** The time of the expiration; undefined if the user never expires. */
export const userExpiresAt = ({
  created_at,
  expiration_days,
}: Pick<AppInstanceUserRow, 'created_at' | 'expiration_days'>): number | undefined =>
  expiration_days === null ? undefined : created_at + expiration_days * dayMs

export async function scheduleUserExpiration(
  transaction: Transaction,
  user: Pick<AppInstanceUserRow, 'user_id' | 'created_at' | 'expiration_days'>,
): Promise<void> {
  const work = { kind: 'expire-user', subject: String(user.user_id) } as const
  const expiresAt = userExpiresAt(user)
  if (expiresAt === undefined) await cancelWork(transaction, work)
  else await scheduleWork(transaction, work, expiresAt)
}
