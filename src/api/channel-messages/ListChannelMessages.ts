import Type from 'typebox'
import { bearer, optional, path, query } from '../../contract/binding.ts'
import { ChimeArn, MaxResults, NextToken, SortOrder, SubChannelId, Timestamp } from '../../contract/shapes.ts'
import { ChannelMessageSummary } from '../../contract/structures.ts'
import { firstSeqSince } from '../../store/message-times.ts'
import type { MessageRow } from '../../store/tables.ts'
import { maySeeChannel } from '../access.ts'
import { operation } from '../context.ts'
import { readPage } from '../paging.ts'
import { refuseSubChannel } from '../sub-channels.ts'
import { epochSeconds, milliseconds } from '../times.ts'
import { messageSummary, seenBy, visibleTo } from './channel-message.ts'

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
  async handle(input, context, { channel, bearer: reader }) {
    refuseSubChannel(input.SubChannelId)
    const { ChannelArn, ChimeBearer, SortOrder: order = 'DESCENDING', NotBefore, NotAfter } = input
    const descending = order === 'DESCENDING'
    const { page, NextToken } = await readPage(context, input, {
      identity: ['ListChannelMessages', ChannelArn, ChimeBearer, order, NotBefore, NotAfter],
      start: descending ? Number.MAX_SAFE_INTEGER : -1,
      rowsAfter: (seq, rowsMax) =>
        context.read.all<MessageRow>(
          `SELECT * FROM message_view WHERE channel_id = $1 AND ${visibleTo('$2')}
             ${NotBefore === undefined ? '' : `AND seq >= ${firstSeqSince('$1', '$3')}`}
             ${NotAfter === undefined ? '' : `AND seq < ${firstSeqSince('$1', '$4')}`}
             AND seq ${descending ? '<' : '>'} $5
           ORDER BY seq ${descending ? 'DESC' : 'ASC'} LIMIT $6`,
          channel.channel_id,
          reader.user_id,
          NotBefore === undefined ? 0 : Math.ceil(milliseconds(NotBefore)),
          // The first millisecond that is too late.
          NotAfter === undefined ? 0 : Math.floor(milliseconds(NotAfter)) + 1,
          seq,
          rowsMax,
        ),
      positionOf: (message) => message.seq,
    })
    const ChannelMessages = page.map((row) => messageSummary(seenBy(ChimeBearer, row), epochSeconds))
    return { ChannelArn, ChannelMessages, NextToken }
  },
})
