import Type from 'typebox'
import { bearer, optional, path, query } from '../../contract/binding.ts'
import { ChimeArn, NextToken, SortOrder, SubChannelId, Timestamp } from '../../contract/shapes.ts'
import { ChannelMessageSummary } from '../../contract/structures/channel-messages.ts'
import type { MessageRow } from '../../store/tables.ts'
import { maySeeChannel } from '../access.ts'
import { readVisibleSince } from '../app-instances/retention.ts'
import { operation } from '../context.ts'
import { pageMembers, readPage } from '../paging.ts'
import { rejectSubChannel } from '../sub-channels.ts'
import { epochSeconds, milliseconds } from '../times.ts'
import { messageSummary, seenBy, visibleTo } from './channel-message.ts'
import { seqLimits } from './seq-limits.ts'

/** In the order of creation, by default the newest first. The order of delivery may differ. */
export const ListChannelMessages = operation({
  name: 'ListChannelMessages',
  http: 'GET /channels/{ChannelArn}/messages 200',
  input: {
    ChannelArn: path(ChimeArn),
    ChimeBearer: bearer(),
    SortOrder: query('sort-order', optional(SortOrder)),
    NotBefore: query('not-before', optional(Timestamp)),
    NotAfter: query('not-after', optional(Timestamp)),
    ...pageMembers,
    SubChannelId: query('sub-channel-id', optional(SubChannelId)),
  },
  output: {
    ChannelArn: optional(ChimeArn),
    NextToken: optional(NextToken),
    ChannelMessages: optional(Type.Array(ChannelMessageSummary)),
    SubChannelId: optional(SubChannelId),
  },
  errors: ['BadRequest', 'Forbidden'],
  resources: ['ChimeBearer', 'ChannelArn'],
  rate: 'history',
  allow: maySeeChannel,
  async handle(input, context, { channel, bearer: reader }) {
    rejectSubChannel(input.SubChannelId)
    const { ChannelArn, ChimeBearer, SortOrder: order = 'DESCENDING', NotBefore, NotAfter } = input
    const descending = order === 'DESCENDING'
    const visibleSince = await readVisibleSince(context.read, channel.app_instance_arn, context.now())
    const times = {
      since: Math.max(visibleSince, NotBefore === undefined ? Number.NEGATIVE_INFINITY : milliseconds(NotBefore)),
      until: NotAfter === undefined ? Number.POSITIVE_INFINITY : milliseconds(NotAfter),
    }
    const { page, NextToken } = await readPage(context, input, {
      start: undefined as number | undefined,
      rowsAfter: (seq, rowsMax) => {
        const limits = seqLimits(seq, descending, times)
        return context.read.all<MessageRow>(
          `SELECT * FROM message_view WHERE channel_id = $1 AND ${visibleTo('$2')}
             ${limits.map(({ condition }, index) => `AND ${condition(`$${index + 4}`)}`).join(' ')}
           ORDER BY seq ${descending ? 'DESC' : 'ASC'} LIMIT $3`,
          channel.channel_id,
          reader.user_id,
          rowsMax,
          ...limits.map(({ value }) => value),
        )
      },
      positionOf: (message) => message.seq,
    })
    const ChannelMessages = page.map((row) => messageSummary(seenBy(ChimeBearer, row), epochSeconds))
    return { ChannelArn, ChannelMessages, NextToken }
  },
})
