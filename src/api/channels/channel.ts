import type { ChannelMode, ChannelPrivacy } from '../../contract/shapes.ts'
import { fromJson, fromJsonText } from '../json-text.ts'
import { epochSeconds } from '../times.ts'

/** The channel with what its head row says of it. */
export interface ChannelRow {
  channel_arn: string
  app_instance_arn: string
  name: string
  mode: ChannelMode
  privacy: ChannelPrivacy
  metadata: string | null
  channel_flow_arn: string | null
  created_by_arn: string
  created_by_name: string
  created_at: number
  updated_at: number
  last_message_at: number | null
}

export const channelToWire = (row: ChannelRow) => ({
  ChannelArn: row.channel_arn,
  Name: fromJsonText(row.name),
  Mode: row.mode,
  Privacy: row.privacy,
  Metadata: fromJson<string>(row.metadata),
  CreatedBy: { Arn: row.created_by_arn, Name: fromJsonText(row.created_by_name) },
  CreatedTimestamp: epochSeconds(row.created_at),
  LastMessageTimestamp: row.last_message_at === null ? undefined : epochSeconds(row.last_message_at),
  LastUpdatedTimestamp: epochSeconds(row.updated_at),
  ChannelFlowArn: row.channel_flow_arn ?? undefined,
})
