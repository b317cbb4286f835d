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
    const times = timesOf(NotBefore, NotAfter)
    const { page, NextToken } = await readPage(context, input, {
      identity: ['ListChannelMessages', ChannelArn, ChimeBearer, order, NotBefore, NotAfter],
      start: descending ? Number.MAX_SAFE_INTEGER : -1,
      rowsAfter: (seq, rowsMax) =>
        context.read.all<MessageRow>(
          `SELECT * FROM message_view WHERE channel_id = $1 AND ${visibleTo('$2')}
             AND seq ${descending ? '<' : '>'} $3 ${times.map(({ condition }, index) => condition(`$${index + 5}`)).join(' ')}
           ORDER BY seq ${descending ? 'DESC' : 'ASC'} LIMIT $4`,
          channel.channel_id,
          reader.user_id,
          seq,
          rowsMax,
          ...times.map(({ time }) => time),
        ),
      positionOf: (message) => message.seq,
    })
    const ChannelMessages = page.map((row) => messageSummary(seenBy(ChimeBearer, row), epochSeconds))
    return { ChannelArn, ChannelMessages, NextToken }
  },
})

interface TimeLimit {
  time: number
  /** In SQL, with the placeholder of the time. */
  condition(time: string): string
}

/** Those that the caller gave: PostgreSQL takes no value that the statement does not use. */
function timesOf(notBefore: number | undefined, notAfter: number | undefined): TimeLimit[] {
  const times: TimeLimit[] = []
  if (notBefore !== undefined) {
    const condition = (time: string) => `AND seq >= ${firstSeqSince('$1', time)}`
    times.push({ time: Math.ceil(milliseconds(notBefore)), condition })
  }
  if (notAfter !== undefined) {
    // The first millisecond that is too late.
    const condition = (time: string) => `AND seq < ${firstSeqSince('$1', time)}`
    times.push({ time: Math.floor(milliseconds(notAfter)) + 1, condition })
  }
  return times
}
