import Type from 'typebox'
import { bearer, optional, path, query } from '../../contract/binding.ts'
import { ChimeArn, MaxResults, NextToken, SortOrder, SubChannelId, Timestamp } from '../../contract/shapes.ts'
import { ChannelMessageSummary } from '../../contract/structures.ts'
import type { MessageRow } from '../../store/tables.ts'
import { maySeeChannel } from '../access.ts'
import { operation } from '../context.ts'
import { pageDefault, pageOf, readNextToken, writeNextToken } from '../paging.ts'
import { refuseSubChannel } from '../sub-channels.ts'
import { epochSeconds } from '../times.ts'
import { messageSummary, visibleTo } from './channel-message.ts'

/** By creation, the newest first unless asked otherwise: the order of sending, whatever the order of delivery was. */
export const ListChannelMessages = operation({
  name: 'ListChannelMessages',
  http: 'GET /channels/{ChannelArn}/messages 200',
  input: {
    ChannelArn: path(ChimeArn),
    ChimeBearer: bearer(),
    SortOrder: query('sort-order', optional(SortOrder)),
    NotBefore: query('not-before', optional(Timestamp)),
    NotAfter: query('not-after', optional(Timestamp)),
    MaxResults: query('max-results', optional(MaxResults)),
    NextToken: query('next-token', optional(NextToken)),
    SubChannelId: query('sub-channel-id', optional(SubChannelId)),
  },
  output: {
    ChannelArn: optional(ChimeArn),
    NextToken: optional(NextToken),
    ChannelMessages: optional(Type.Array(ChannelMessageSummary)),
    SubChannelId: optional(SubChannelId),
  },
  errors: ['BadRequest', 'Forbidden'],
  allow: maySeeChannel,
  async handle(input, context) {
    refuseSubChannel(input.SubChannelId)
    const { ChannelArn, ChimeBearer, SortOrder: order = 'DESCENDING', NotBefore, NotAfter } = input
    const size = input.MaxResults ?? pageDefault
    const list = ['ListChannelMessages', ChannelArn, ChimeBearer, order, NotBefore, NotAfter]
    const descending = order === 'DESCENDING'
    const rows = await context.read.all<MessageRow>(
      `SELECT * FROM channel_message WHERE channel_arn = $1 AND ${visibleTo('$2')}
         AND created_at BETWEEN $3 AND $4 AND seq ${descending ? '<' : '>'} $5
       ORDER BY seq ${descending ? 'DESC' : 'ASC'} LIMIT $6`,
      ChannelArn,
      ChimeBearer,
      Math.ceil(milliseconds(NotBefore) ?? 0),
      Math.floor(milliseconds(NotAfter) ?? Number.MAX_SAFE_INTEGER),
      readNextToken<number>(context, list, input.NextToken) ?? (descending ? Number.MAX_SAFE_INTEGER : -1),
      size + 1,
    )
    const { page, last } = pageOf(rows, size)
    return {
      ChannelArn,
      ChannelMessages: page.map((row) => messageSummary(row, epochSeconds)),
      NextToken: last && writeNextToken(context, list, last.seq),
    }
  },
})

/** Rounded to whole microseconds, so that 1767323045.678 seconds are the millisecond they name. */
const milliseconds = (seconds: number | undefined) =>
  seconds === undefined ? undefined : Math.round(seconds * 1_000_000) / 1_000
