import Type from 'typebox'
import { forbidden } from '../../contract/api-error.ts'
import { bearer, optional, query } from '../../contract/binding.ts'
import { ChannelPrivacy, ChimeArn, NextToken } from '../../contract/shapes.ts'
import { ChannelSummary } from '../../contract/structures/channels.ts'
import type { ChannelRow } from '../../store/tables.ts'
import { selfOrAdmin } from '../access.ts'
import { operation } from '../context.ts'
import { pageMembers, readPage } from '../paging.ts'
import { epochSeconds } from '../times.ts'
import { channelSummary } from './channel.ts'

/**
 * In the order of creation. Admins list all channels. Other users list the PUBLIC ones, without channels that they are
 * banned from; they find PRIVATE ones in the lists of their memberships and moderator roles.
 */
export const ListChannels = operation({
  name: 'ListChannels',
  http: 'GET /channels 200',
  input: {
    AppInstanceArn: query('app-instance-arn', ChimeArn),
    Privacy: query('privacy', optional(ChannelPrivacy)),
    ...pageMembers,
    ChimeBearer: bearer(),
  },
  output: { Channels: optional(Type.Array(ChannelSummary)), NextToken: optional(NextToken) },
  errors: ['BadRequest', 'Forbidden'],
  resources: ['ChimeBearer', 'AppInstanceArn'],
  async allow({ AppInstanceArn, Privacy, ChimeBearer }, context) {
    const access = await selfOrAdmin({ ChimeBearer }, context)
    if (access.bearer.app_instance_arn !== AppInstanceArn) throw forbidden()
    if (Privacy === 'PRIVATE' && !access.administers) throw forbidden()
    return access
  },
  async handle(input, context, { bearer: reader, administers }) {
    const privacy = input.Privacy ?? (administers ? undefined : 'PUBLIC')
    // PostgreSQL rejects a value that the statement does not use, and the engines choose the index by the conditions.
    const ofPrivacy = privacy === undefined ? '' : 'AND privacy = $4'
    const notBanned = administers
      ? ''
      : `AND NOT EXISTS (
           SELECT 1 FROM channel_ban WHERE channel_ban.channel_id = channel_view.channel_id AND member_id = $5)`
    const { page, NextToken } = await readPage(context, input, {
      start: 0,
      rowsAfter: (channelId, rowsMax) =>
        context.read.all<ChannelRow>(
          `SELECT * FROM channel_view WHERE app_instance_arn = $1 AND channel_id > $2 ${ofPrivacy} ${notBanned}
           ORDER BY channel_id LIMIT $3`,
          input.AppInstanceArn,
          channelId,
          rowsMax,
          ...(privacy === undefined ? [] : [privacy]),
          ...(administers ? [] : [reader.user_id]),
        ),
      positionOf: (channel) => channel.channel_id,
    })
    return { Channels: page.map((channel) => channelSummary(channel, epochSeconds)), NextToken }
  },
})
