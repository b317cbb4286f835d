import { badRequest, forbidden } from '../../contract/api-error.ts'
import type { Processor } from '../../contract/structures/channel-flows.ts'
import type { FlowProcessor, FlowSnapshot } from '../../flow/decision.ts'
import type { Reader } from '../../store/store.ts'
import { fromJsonText } from '../json-text.ts'
import { epochSeconds } from '../times.ts'
import { withoutPolicy } from './channel-flow-tags.ts'

export interface ChannelFlowRow {
  channel_flow_arn: string
  app_instance_arn: string
  name: string
  processors_json: string
  deadline_ms: number
  created_at: number
  updated_at: number
}

export const findChannelFlow = (read: Reader, arn: string): Promise<ChannelFlowRow | undefined> =>
  read.get('SELECT * FROM channel_flow WHERE channel_flow_arn = $1', arn)

/** Throws a Forbidden if there is none, for operations that declare no NotFound. */
export async function requireChannelFlow(read: Reader, arn: string): Promise<ChannelFlowRow> {
  const flow = await findChannelFlow(read, arn)
  if (!flow) throw forbidden()
  return flow
}

/** A channel's flow, read in one statement with the channel; all columns are null if the channel has none. */
export type SnapshotRow = {
  [Column in 'processors_json' | 'deadline_ms']: ChannelFlowRow[Column] | null
} & {
  /** The flow that holds the channel's messages. */
  effective_flow_arn: string | null
}

/** In SQL: the flow that holds the messages of a channel, whose AppInstance is joined. */
export const effectiveFlowArn = 'coalesce(app_instance.required_flow_arn, channel.channel_flow_arn)'

/** Reads the channel's flow again, for a message whose channel's flow has changed since it was read with the roles. */
export async function snapshotFlow(read: Reader, channelId: number): Promise<FlowSnapshot | undefined> {
  const row = await read.get<SnapshotRow>(
    `SELECT channel_flow.channel_flow_arn AS effective_flow_arn, processors_json, deadline_ms
     FROM channel JOIN app_instance ON app_instance.app_instance_arn = channel.app_instance_arn
     JOIN channel_flow ON channel_flow.channel_flow_arn = ${effectiveFlowArn} WHERE channel.channel_id = $1`,
    channelId,
  )
  return row && snapshotOf(row)
}

/**
 * One statement reads the channel and the flow: between two statements, the channel could get another flow and the first one
 * could be deleted, and the message would pass no flow.
 */
export function snapshotOf(row: SnapshotRow): FlowSnapshot | undefined {
  const { effective_flow_arn, processors_json, deadline_ms } = row
  if (effective_flow_arn === null || processors_json === null || deadline_ms === null) return undefined
  return {
    channelFlowArn: effective_flow_arn,
    processors: JSON.parse(processors_json) as FlowProcessor[],
    deadlineMs: deadline_ms,
  }
}

/** Two processors cannot have the same ExecutionOrder. */
export function requireDistinctOrder(processors: readonly Processor[]): void {
  const orders = processors.map((processor) => processor.ExecutionOrder)
  if (new Set(orders).size === orders.length) return
  throw badRequest(
    `1 validation error detected: Value at 'processors' failed to satisfy constraint: Member must have a different executionOrder in each processor`,
  )
}

export const channelFlowSummary = (row: ChannelFlowRow) => ({
  ChannelFlowArn: row.channel_flow_arn,
  Name: fromJsonText(row.name),
  Processors: (JSON.parse(row.processors_json) as FlowProcessor[]).map(withoutPolicy),
})

export const channelFlowToWire = (row: ChannelFlowRow) => ({
  ...channelFlowSummary(row),
  CreatedTimestamp: epochSeconds(row.created_at),
  LastUpdatedTimestamp: epochSeconds(row.updated_at),
})
