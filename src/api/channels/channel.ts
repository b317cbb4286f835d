import { forbidden } from '../../contract/api-error.ts'
import type { Reader } from '../../store/store.ts'
import type { ChannelRow } from '../../store/tables.ts'
import { fromJson, fromJsonText } from '../json-text.ts'
import type { WriteTime } from '../times.ts'
import { expirationToWire } from './channel-expiration.ts'

/** AWS's ChannelSummary. */
export const channelSummary = <Time>(row: ChannelRow, time: WriteTime<Time>) => ({
  ChannelArn: row.channel_arn,
  Name: fromJsonText(row.name),
  Mode: row.mode,
  Privacy: row.privacy,
  Metadata: fromJson<string>(row.metadata),
  LastMessageTimestamp: row.last_message_at === null ? undefined : time(row.last_message_at),
})

/** AWS's Channel. */
export const channelToWire = <Time>(row: ChannelRow, time: WriteTime<Time>) => ({
  ...channelSummary(row, time),
  CreatedBy: { Arn: row.created_by_arn, Name: fromJsonText(row.created_by_name) },
  CreatedTimestamp: time(row.created_at),
  LastUpdatedTimestamp: time(row.updated_at),
  ChannelFlowArn: row.channel_flow_arn ?? undefined,
  ExpirationSettings: expirationToWire(row),
})

/** The channel with columns of its head row. Throws a Forbidden if there is none. */
export async function requireChannel(read: Reader, channelId: number): Promise<ChannelRow> {
  const row = await read.get<ChannelRow>('SELECT * FROM channel_view WHERE channel_id = $1', channelId)
  if (!row) throw forbidden()
  return row
}

/** The same by ARN, for a call without a bearer. */
export async function requireChannelByArn(read: Reader, channelArn: string): Promise<ChannelRow> {
  const channelId = await findChannelId(read, channelArn)
  if (channelId === undefined) throw forbidden()
  return requireChannel(read, channelId)
}

/** The number of the channel that has this ARN now. */
export async function findChannelId(read: Reader, channelArn: string): Promise<number | undefined> {
  const text = 'SELECT channel_id FROM channel_head WHERE channel_arn = $1 AND deleted_at IS NULL'
  return (await read.get<Pick<ChannelRow, 'channel_id'>>(text, channelArn))?.channel_id
}
