import Type from 'typebox'
import { optional, query } from '../../contract/binding.ts'
import { ChannelMessageStatus, ChimeArn, NextToken, Timestamp } from '../../contract/shapes.ts'
import { byCredentialsAlone } from '../access.ts'
import { readVisibleSince } from '../app-instances/retention.ts'
import { requireChannelByArn } from '../channels/channel.ts'
import { operation } from '../context.ts'
import { fromJsonText } from '../json-text.ts'
import { pageMembers, readPage } from '../paging.ts'
import { epochSeconds, milliseconds } from '../times.ts'
import { MessageSearch, type SearchedMessage } from './message-search.ts'

const MessageFacts = Type.Object({
  MessageId: Type.String(),
  ChannelArn: ChimeArn,
  SenderArn: optional(ChimeArn),
  Status: ChannelMessageStatus,
  Detail: optional(Type.String()),
  CreatedTimestamp: Timestamp,
})

/**
 * The messages of a channel without their text, the latest first, for operators: those too that are pending, failed, or were
 * denied. A page ends early after 5,000 rows; its NextToken then searches on.
 */
export const ListMessages = operation({
  name: 'ListMessages',
  service: 'carillon',
  http: 'GET /carillon/v1/messages 200',
  input: {
    ChannelArn: query('channel-arn', ChimeArn),
    SenderArn: query('sender-arn', optional(ChimeArn)),
    Status: query('status', optional(ChannelMessageStatus)),
    NotBefore: query('not-before', optional(Timestamp)),
    NotAfter: query('not-after', optional(Timestamp)),
    ...pageMembers,
  },
  output: {
    ChannelName: Type.String(),
    Messages: Type.Array(MessageFacts),
    NextToken: optional(NextToken),
    SearchedTo: optional(Timestamp),
  },
  errors: ['BadRequest', 'Forbidden'],
  resources: ['ChannelArn'],
  allow: byCredentialsAlone,
  async handle(input, context) {
    const { ChannelArn, SenderArn: senderArn, Status: status, NotBefore, NotAfter } = input
    const { read, now } = context
    const channel = await requireChannelByArn(read, ChannelArn)
    const visibleSince = await readVisibleSince(read, channel.app_instance_arn, now())
    const since = Math.max(visibleSince, NotBefore === undefined ? Number.NEGATIVE_INFINITY : milliseconds(NotBefore))
    const until = NotAfter === undefined ? Number.POSITIVE_INFINITY : milliseconds(NotAfter)
    const search = new MessageSearch(read, { channelId: channel.channel_id, senderArn, status, since, until })
    const { page, NextToken } = await readPage(context, input, {
      start: undefined as number | undefined,
      rowsAfter: (seq, rowsMax) => search.find(seq, rowsMax),
      positionOf: (message) => message.seq,
      searchedTo: () => search.stoppedAt?.seq,
    })
    return {
      ChannelName: fromJsonText(channel.name),
      Messages: page.map((message) => toWire(ChannelArn, message)),
      NextToken,
      SearchedTo: search.stoppedAt && epochSeconds(search.stoppedAt.at),
    }
  },
})

const toWire = (channelArn: string, { message_id, sender_arn, status, detail, created_at }: SearchedMessage) => ({
  MessageId: message_id,
  ChannelArn: channelArn,
  SenderArn: sender_arn ?? undefined,
  Status: status,
  Detail: detail ?? undefined,
  CreatedTimestamp: epochSeconds(created_at),
})
