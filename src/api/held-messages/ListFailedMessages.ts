import Type from 'typebox'
import { functionNameOf } from '../../contract/arn.ts'
import { optional, query } from '../../contract/binding.ts'
import { ChimeArn, NextToken, Timestamp } from '../../contract/shapes.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { scopeOf } from '../keys/key-summary.ts'
import { pageMembers, readPage } from '../paging.ts'
import { epochSeconds } from '../times.ts'

interface FailedRow {
  channel_id: number
  channel_arn: string
  message_id: string
  revision: number
  detail: string | null
  ended_at: number
  function_arn: string | null
}

const FailedMessage = Type.Object({
  MessageId: Type.String(),
  ChannelArn: ChimeArn,
  Revision: Type.Integer(),
  FunctionName: optional(Type.String()),
  Detail: optional(Type.String()),
  EndedTimestamp: Timestamp,
})

type Position = readonly [endedAt: number, channelId: number, messageId: string, revision: number]

/** The messages and updates that failed in a flow, the latest first, as long as their timelines are kept. */
export const ListFailedMessages = operation({
  name: 'ListFailedMessages',
  service: 'carillon',
  http: 'GET /carillon/v1/failed 200',
  input: { ChannelArn: query('channel-arn', optional(ChimeArn)), ...pageMembers },
  output: { Messages: Type.Array(FailedMessage), NextToken: optional(NextToken) },
  errors: ['BadRequest'],
  resources: ['ChannelArn'],
  allow: byCredentialsAlone,
  async handle(input, context) {
    const scope = scopeOf(context.credentials) ?? ''
    const { page, NextToken } = await readPage(context, input, {
      start: [Number.MAX_SAFE_INTEGER, 0, '', 0] as Position,
      rowsAfter: (after, rowsMax) =>
        context.read.all<FailedRow>(failedText, ...after, input.ChannelArn ?? '', scope, rowsMax),
      positionOf: (row): Position => [row.ended_at, row.channel_id, row.message_id, row.revision],
    })
    return { Messages: page.map(toWire), NextToken }
  },
})

const failedText = `SELECT run.channel_id, head.channel_arn, run.message_id, run.revision, run.detail, run.ended_at, step.function_arn
  FROM flow_run AS run
  JOIN channel_head AS head ON head.channel_id = run.channel_id AND head.deleted_at IS NULL
  JOIN channel_view AS channel ON channel.channel_id = run.channel_id
  LEFT JOIN flow_step AS step ON step.channel_id = run.channel_id AND step.callback_id = run.callback_id
  WHERE run.state = 'FAILED' AND (run.ended_at, run.channel_id, run.message_id, run.revision) < ($1, $2, $3, $4)
    AND ($5 = '' OR head.channel_arn = $5) AND ($6 = '' OR channel.app_instance_arn = $6)
  ORDER BY run.ended_at DESC, run.channel_id DESC, run.message_id DESC, run.revision DESC LIMIT $7`

const toWire = (row: FailedRow) => ({
  MessageId: row.message_id,
  ChannelArn: row.channel_arn,
  Revision: row.revision,
  FunctionName: row.function_arn === null ? undefined : functionNameOf(row.function_arn),
  Detail: row.detail ?? undefined,
  EndedTimestamp: epochSeconds(row.ended_at),
})
