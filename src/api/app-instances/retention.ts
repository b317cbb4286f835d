import type { AppInstanceRetentionSettings } from '../../contract/structures/app-instances.ts'
import type { Reader, Transaction } from '../../store/store.ts'
import { cancelWork, scheduleWork } from '../../store/work.ts'
import { dayMs, epochSeconds } from '../times.ts'

/**
 * The grace period after a change of the settings: messages past the limit are only hidden, and a longer period restores
 * them (AWS's administrator guide, "Managing message retention").
 */
export const graceMs = 30 * dayMs

export interface RetentionRow {
  app_instance_arn: string
  /** Null if the limit was removed. */
  retention_days: number | null
  /** The end of the grace period of the last change. */
  deletes_from: number | null
}

export const findRetention = (read: Reader, appInstanceArn: string): Promise<RetentionRow | undefined> =>
  read.get<RetentionRow>('SELECT * FROM retention WHERE app_instance_arn = $1', appInstanceArn)

/** Messages that were created before this are past the limit. */
export const keptSince = (row: RetentionRow | undefined, now: number): number =>
  row?.retention_days ? now - row.retention_days * dayMs : Number.NEGATIVE_INFINITY

/** The same limit for reads of the AppInstance's messages: older ones are hidden. */
export const readVisibleSince = async (read: Reader, appInstanceArn: string, now: number): Promise<number> =>
  keptSince(await findRetention(read, appInstanceArn), now)

/** Absent without settings. */
export function retentionToWire(row: RetentionRow | undefined) {
  if (!row) return {}
  const { retention_days, deletes_from } = row
  const settings = retention_days === null ? {} : { RetentionDays: retention_days }
  return {
    AppInstanceRetentionSettings: { ChannelRetentionSettings: settings },
    InitiateDeletionTimestamp: deletes_from === null ? undefined : epochSeconds(deletes_from),
  }
}

/**
 * A change begins a new grace period; the same settings again do not. Returns the stored settings.
 */
export async function putRetention(
  transaction: Transaction,
  appInstanceArn: string,
  { ChannelRetentionSettings }: AppInstanceRetentionSettings,
  now: number,
): Promise<RetentionRow> {
  const retention_days = ChannelRetentionSettings?.RetentionDays ?? null
  const known = await findRetention(transaction, appInstanceArn)
  if (known?.retention_days === retention_days) return known
  const deletes_from = retention_days === null ? null : now + graceMs
  await transaction.run(
    `INSERT INTO retention (app_instance_arn, retention_days, deletes_from) VALUES ($1, $2, $3)
     ON CONFLICT (app_instance_arn) DO UPDATE SET retention_days = $2, deletes_from = $3`,
    appInstanceArn,
    retention_days,
    deletes_from,
  )
  const work = { kind: 'retention', subject: appInstanceArn } as const
  if (deletes_from === null) await cancelWork(transaction, work)
  else await scheduleWork(transaction, work, deletes_from)
  return { app_instance_arn: appInstanceArn, retention_days, deletes_from }
}
