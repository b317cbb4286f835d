import Type from 'typebox'
import { bearer, optional } from '../../contract/binding.ts'
import { NextToken } from '../../contract/shapes.ts'
import { ChannelSummary, SearchFields } from '../../contract/structures/channels.ts'
import { selfOrAdmin } from '../access.ts'
import { operation } from '../context.ts'
import { pageMembers, readPage } from '../paging.ts'
import { epochSeconds } from '../times.ts'
import { channelSummary } from './channel.ts'
import { channelsWith, readSearch } from './member-search.ts'

/**
 * In the order of creation. Admins search all channels of the AppInstance, and so does a call without a bearer; other users
 * search the channels that they are in.
 */
export const SearchChannels = operation({
  name: 'SearchChannels',
  http: 'POST /channels?operation=search 200',
  input: { ChimeBearer: optional(bearer()), Fields: SearchFields, ...pageMembers },
  output: { Channels: optional(Type.Array(ChannelSummary)), NextToken: optional(NextToken) },
  errors: ['BadRequest', 'Forbidden'],
  resources: ['ChimeBearer'],
  async allow({ ChimeBearer }, context) {
    return ChimeBearer === undefined ? undefined : selfOrAdmin({ ChimeBearer }, context)
  },
  async handle(input, context, access) {
    const { Fields } = input
    const within = access && !access.administers ? access.user : undefined
    const search = await readSearch(context.read, {
      fields: Fields,
      appInstanceArn: access?.user.app_instance_arn,
      within,
    })
    if (search === undefined) return { Channels: [] }
    const { page, NextToken } = await readPage(context, input, {
      start: 0,
      rowsAfter: (channelId, rowsMax) => channelsWith(context.read, search, channelId, rowsMax),
      positionOf: (channel) => channel.channel_id,
    })
    return { Channels: page.map((channel) => channelSummary(channel, epochSeconds)), NextToken }
  },
})
