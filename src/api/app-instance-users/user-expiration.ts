import type { AppInstanceUserExpirationSettings } from '../../contract/structures/app-instance-users.ts'
import type { Transaction } from '../../store/store.ts'
import { cancelWork, scheduleWork } from '../../store/work.ts'
import { dayMs } from '../times.ts'
import type { AppInstanceUserRow } from './app-instance-user.ts'

/** Users expire by the day they were created, and by nothing else. */
export const userExpirationToWire = ({
  expiration_days,
}: Pick<AppInstanceUserRow, 'expiration_days'>): AppInstanceUserExpirationSettings | undefined =>
  expiration_days === null ? undefined : { ExpirationDays: expiration_days, ExpirationCriterion: 'CREATED_TIMESTAMP' }

/** When the user expires, or undefined if never. */
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
