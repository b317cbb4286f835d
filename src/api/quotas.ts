import { ApiError } from '../contract/api-error.ts'
import type { Transaction, Value } from '../store/store.ts'

/** AWS's default quotas (AWS General Reference, "Amazon Chime SDK endpoints and quotas"), but with three processors per flow. */
const quotas = {
  appInstances: 100,
  usersPerAppInstance: 100_000,
  adminsPerAppInstance: 100,
  channelFlowsPerAppInstance: 100,
  membershipsPerChannel: 10_000,
  moderatorsPerChannel: 1_000,
  membershipsPerUser: 20_000,
  tagsPerResource: 50,
} as const

type Quota = keyof typeof quotas

/**
 * Throws if the quota is exceeded, and the transaction rolls the insert back. The check follows the insert, so that an
 * existing row is a Conflict even if the quota is reached. `count` comes from a counter, because counting 100,000 rows takes
 * longer than the insert.
 */
export function requireWithinQuota(quota: Quota, count: number): void {
  if (count > quotas[quota]) throw beyondQuota(quota)
}

export const isWithinQuota = (quota: Quota, count: number): boolean => count <= quotas[quota]

export const beyondQuota = (quota: Quota) =>
  new ApiError('ResourceLimitExceeded', `The limit of ${quotas[quota]} ${words(quota)} is reached`)

/** The same for rows that are few enough to be counted each time. `from` is the SQL after `SELECT count(*)`. */
export async function requireFew(
  transaction: Transaction,
  quota: Quota,
  from: string,
  ...values: Value[]
): Promise<void> {
  const counted = await transaction.get<{ count: number }>(`SELECT count(*) AS count ${from}`, ...values)
  requireWithinQuota(quota, counted?.count ?? 0)
}

/** `usersPerAppInstance` → `users per AppInstance` */
const words = (quota: string) =>
  quota
    .replace(/([A-Z])/g, ' $1')
    .toLowerCase()
    .replace('app instance', 'AppInstance')
