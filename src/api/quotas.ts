import { ApiError } from '../contract/api-error.ts'
import type { Transaction, Value } from '../store/store.ts'

/** AWS's default quotas (AWS General Reference, "Amazon Chime SDK endpoints and quotas"), but three processors a flow. */
const quotas = {
  appInstances: 100,
  usersPerAppInstance: 100_000,
  adminsPerAppInstance: 100,
  channelFlowsPerAppInstance: 100,
  membershipsPerChannel: 10_000,
  membershipsPerUser: 20_000,
} as const

/**
 * Throws if there is one too many, and the transaction takes back what it has inserted. It is asked after the insert, so
 * that what exists already is a Conflict even where the quota is reached. `from` is what follows `SELECT count(*)`.
 */
export async function requireWithinQuota(
  transaction: Transaction,
  quota: keyof typeof quotas,
  from: string,
  ...values: Value[]
): Promise<void> {
  const counted = await transaction.get<{ count: number }>(`SELECT count(*) AS count ${from}`, ...values)
  if (counted && counted.count > quotas[quota]) {
    throw new ApiError('ResourceLimitExceeded', `The limit of ${quotas[quota]} ${words(quota)} is reached`)
  }
}

/** `usersPerAppInstance` → `users per AppInstance` */
const words = (quota: string) =>
  quota
    .replace(/([A-Z])/g, ' $1')
    .toLowerCase()
    .replace('app instance', 'AppInstance')
