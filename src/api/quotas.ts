import { ApiError } from '../contract/api-error.ts'
import type { Transaction, Value } from '../store/store.ts'

/** AWS's default quotas (AWS General Reference, "Amazon Chime SDK endpoints and quotas"), but three processors a flow. */
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
 * Throws if there is one too many, and the transaction takes back what it has inserted. It is asked after the insert, so
 * that what exists already is a Conflict even where the quota is reached. `count` comes from a counter, since counting
 * 100,000 rows takes longer than the insert itself.
 */
export function requireWithinQuota(quota: Quota, count: number): void {
  if (count > quotas[quota]) throw beyondQuota(quota)
}

export const isWithinQuota = (quota: Quota, count: number): boolean => count <= quotas[quota]

export const beyondQuota = (quota: Quota) =>
  new ApiError('ResourceLimitExceeded', `The limit of ${quotas[quota]} ${words(quota)} is reached`)

/** The same for what is few enough to be counted each time. `from` is what follows `SELECT count(*)`. */
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
