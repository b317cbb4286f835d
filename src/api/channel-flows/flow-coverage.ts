import { setImmediate } from 'node:timers/promises'
import type { Reader } from '../../store/store.ts'

/*
 * How far the channels of an AppInstance have flows. The rows of all its channels are counted in pieces: one statement for
 * 100,000 channels would stop the event loop on SQLite.
 */

/** Maximum of channels that one statement counts. */
const pieceRowsMax = 1_000
/** Maximum of channels of an AppInstance that are counted. */
const channelsMax = 1_000_000

/** An AppInstance that has flows. */
export interface FlowScope {
  app_instance_arn: string
  required_flow_arn: string | null
}

/** The AppInstances that have a flow, by their ARNs; only this one if `within` is given. */
export const listFlowScopes = (
  read: Reader,
  { after, within = '', rowsMax }: { after: string; within?: string | undefined; rowsMax: number },
): Promise<FlowScope[]> =>
  read.all<FlowScope>(
    `SELECT app_instance_arn, required_flow_arn FROM app_instance
     WHERE app_instance_arn > $1 AND ($2 = '' OR app_instance_arn = $2) AND EXISTS
       (SELECT 1 FROM channel_flow WHERE channel_flow.app_instance_arn = app_instance.app_instance_arn)
     ORDER BY app_instance_arn LIMIT $3`,
    after,
    within,
    rowsMax,
  )

export interface FlowCoverage {
  channels: number
  /** Channels without any flow in their rows. */
  withoutFlow: number
  /** Channels that do not have the required flow in their rows yet: it holds their messages already. */
  remaining: number
  /** Whether there are more channels than are counted. */
  isPartial: boolean
}

interface Piece {
  channels: number
  without_flow: number
  remaining: number
  last_id: number | null
}

export async function readFlowCoverage(
  read: Reader,
  { app_instance_arn, required_flow_arn }: FlowScope,
): Promise<FlowCoverage> {
  const sum: FlowCoverage = { channels: 0, withoutFlow: 0, remaining: 0, isPartial: false }
  for (let after = 0; sum.channels < channelsMax; ) {
    // The heads after the limit: else PostgreSQL joins all channels of the AppInstance in each piece.
    const piece = await read.get<Piece>(
      `SELECT count(head.channel_id) AS channels, max(piece.channel_id) AS last_id,
         count(CASE WHEN channel_flow_arn IS NULL THEN head.channel_id END) AS without_flow,
         count(CASE WHEN $3 <> '' AND coalesce(channel_flow_arn, '') <> $3 THEN head.channel_id END) AS remaining
       FROM (SELECT channel_id, channel_flow_arn FROM channel
             WHERE app_instance_arn = $1 AND channel_id > $2 ORDER BY channel_id LIMIT ${pieceRowsMax}) AS piece
       LEFT JOIN channel_head AS head ON head.channel_id = piece.channel_id AND head.deleted_at IS NULL`,
      app_instance_arn,
      after,
      required_flow_arn ?? '',
    )
    if (!piece || piece.last_id === null) return sum
    sum.channels += piece.channels
    sum.withoutFlow += piece.without_flow
    sum.remaining += piece.remaining
    after = piece.last_id
    await setImmediate()
  }
  return { ...sum, isPartial: true }
}
