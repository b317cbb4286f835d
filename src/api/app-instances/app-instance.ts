import { forbidden } from '../../contract/api-error.ts'
import type { Reader } from '../../store/store.ts'
import { fromJson, fromJsonText } from '../json-text.ts'
import { epochSeconds } from '../times.ts'

export interface AppInstanceRow {
  app_instance_arn: string
  name: string
  metadata: string | null
  /** The number of its users. */
  users: number
  created_at: number
  updated_at: number
}

/** Throws a Forbidden if there is none: the identity API declares no NotFound for it. */
export async function requireAppInstance(read: Reader, arn: string): Promise<AppInstanceRow> {
  const row = await read.get<AppInstanceRow>('SELECT * FROM app_instance WHERE app_instance_arn = $1', arn)
  if (!row) throw forbidden()
  return row
}

export const appInstanceSummary = (row: AppInstanceRow) => ({
  AppInstanceArn: row.app_instance_arn,
  Name: fromJsonText(row.name),
  Metadata: fromJson<string>(row.metadata),
})

export const appInstanceToWire = (row: AppInstanceRow) => ({
  ...appInstanceSummary(row),
  CreatedTimestamp: epochSeconds(row.created_at),
  LastUpdatedTimestamp: epochSeconds(row.updated_at),
})
