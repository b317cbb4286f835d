import Type from 'typebox'
import { functionNameOf } from '../../contract/arn.ts'
import { optional, query } from '../../contract/binding.ts'
import { ChimeArn, NextToken, Timestamp } from '../../contract/shapes.ts'
import { awaitedBy } from '../../flow/timeline.ts'
import { firstHeldPosition, type HeldStep, heldPositionOf, listHeld } from '../../store/held-steps.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { scopeOf } from '../keys/key-summary.ts'
import { pageMembers, readPage } from '../paging.ts'
import { epochSeconds } from '../times.ts'

const PendingMessage = Type.Object({
  MessageId: Type.String(),
  ChannelArn: ChimeArn,
  Revision: Type.Integer(),
  FunctionName: Type.String(),
  SenderArn: ChimeArn,
  AcceptedTimestamp: Timestamp,
  WaitsFor: Type.Enum(['PROCESSOR', 'RETRY', 'CALLBACK']),
  DueTimestamp: Timestamp,
  DeadlineTimestamp: Timestamp,
})

/** The messages and updates that flows hold now, without their text. */
export const ListPendingMessages = operation({
  name: 'ListPendingMessages',
  service: 'carillon',
  http: 'GET /carillon/v1/pending 200',
  input: {
    FunctionName: query('function-name', optional(Type.String({ minLength: 1, maxLength: 140 }))),
    ChannelArn: query('channel-arn', optional(ChimeArn)),
    OlderThanSeconds: query('older-than', optional(Type.Integer({ minimum: 0 }))),
    ...pageMembers,
  },
  output: { Messages: Type.Array(PendingMessage), NextToken: optional(NextToken) },
  errors: ['BadRequest'],
  resources: ['ChannelArn'],
  allow: byCredentialsAlone,
  async handle(input, context) {
    const { FunctionName: functionName, ChannelArn: channelArn, OlderThanSeconds } = input
    const acceptedBefore = OlderThanSeconds === undefined ? undefined : context.now() - OlderThanSeconds * 1000
    const filter = { functionName, channelArn, acceptedBefore, appInstanceArn: scopeOf(context.credentials) }
    const { page, NextToken } = await readPage(context, input, {
      start: firstHeldPosition,
      rowsAfter: (after, rowsMax) => listHeld(context.read, filter, after, rowsMax),
      positionOf: heldPositionOf,
    })
    return { Messages: page.map(toWire), NextToken }
  },
})

const toWire = (row: HeldStep) => ({
  MessageId: row.message_id,
  ChannelArn: row.channel_arn,
  Revision: row.revision,
  FunctionName: functionNameOf(row.function_arn),
  SenderArn: row.sender_arn,
  AcceptedTimestamp: epochSeconds(row.accepted_at),
  WaitsFor: awaitedBy(row).toUpperCase() as 'PROCESSOR',
  DueTimestamp: epochSeconds(row.due_at),
  DeadlineTimestamp: epochSeconds(row.deadline_at),
})
