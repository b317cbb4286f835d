import Type from 'typebox'
import { optional, query } from '../../contract/binding.ts'
import { ChimeArn, NextToken } from '../../contract/shapes.ts'
import { ChannelAssociatedWithFlowSummary } from '../../contract/structures/channels.ts'
import type { ChannelRow } from '../../store/tables.ts'
import { byCredentialsAlone } from '../access.ts'
import { channelSummary } from '../channels/channel.ts'
import { operation } from '../context.ts'
import { pageMembers, readPage } from '../paging.ts'
import { epochSeconds } from '../times.ts'
import { requireChannelFlow } from './channel-flow.ts'

/** In the order in which the channels were created. */
export const ListChannelsAssociatedWithChannelFlow = operation({
  name: 'ListChannelsAssociatedWithChannelFlow',
  http: 'GET /channels?scope=channel-flow-associations 200',
  input: { ChannelFlowArn: query('channel-flow-arn', ChimeArn), ...pageMembers },
  output: { Channels: optional(Type.Array(ChannelAssociatedWithFlowSummary)), NextToken: optional(NextToken) },
  errors: ['BadRequest', 'Forbidden'],
  resources: ['ChannelFlowArn'],
  allow: byCredentialsAlone,
  async handle(input, context) {
    const { ChannelFlowArn } = input
    await requireChannelFlow(context.read, ChannelFlowArn)
    const { page, NextToken } = await readPage(context, input, {
      start: 0,
      rowsAfter: (channelId, rowsMax) =>
        context.read.all<ChannelRow>(
          'SELECT * FROM channel_view WHERE channel_flow_arn = $1 AND channel_id > $2 ORDER BY channel_id LIMIT $3',
          ChannelFlowArn,
          channelId,
          rowsMax,
        ),
      positionOf: (channel) => channel.channel_id,
    })
    return { Channels: page.map(associatedChannel), NextToken }
  },
})

/** AWS's ChannelAssociatedWithFlowSummary: a ChannelSummary without the time of the last message. */
const associatedChannel = (channel: ChannelRow) => channelSummary({ ...channel, last_message_at: null }, epochSeconds)
