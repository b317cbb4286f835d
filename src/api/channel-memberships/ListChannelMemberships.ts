import Type from 'typebox'
import { forbidden } from '../../contract/api-error.ts'
import { bearer, optional, path, query } from '../../contract/binding.ts'
import { ChannelMembershipType, ChimeArn, MaxResults, NextToken, SubChannelId } from '../../contract/shapes.ts'
import { ChannelMembershipSummary } from '../../contract/structures.ts'
import { maySeeChannel } from '../access.ts'
import { identityOf } from '../app-instance-users/app-instance-user.ts'
import { operation } from '../context.ts'
import { pageDefault, pageOf, readNextToken, writeNextToken } from '../paging.ts'
import { refuseSubChannel } from '../sub-channels.ts'

/** By ARN. HIDDEN members are listed only when asked for, and only for moderators and admins. */
export const ListChannelMemberships = operation({
  name: 'ListChannelMemberships',
  http: 'GET /channels/{ChannelArn}/memberships 200',
  input: {
    ChannelArn: path(ChimeArn),
    ChimeBearer: bearer(),
    Type: query('type', optional(ChannelMembershipType)),
    MaxResults: query('max-results', optional(MaxResults)),
    NextToken: query('next-token', optional(NextToken)),
    SubChannelId: query('sub-channel-id', optional(SubChannelId)),
  },
  output: {
    ChannelArn: optional(ChimeArn),
    NextToken: optional(NextToken),
    ChannelMemberships: optional(Type.Array(ChannelMembershipSummary)),
  },
  errors: ['BadRequest', 'Forbidden'],
  async allow(input, context) {
    const access = await maySeeChannel(input, context)
    if (input.Type === 'HIDDEN' && !access.moderates && !access.administers) throw forbidden()
  },
  async handle(input, context) {
    refuseSubChannel(input.SubChannelId)
    const { ChannelArn, ChimeBearer, MaxResults: size = pageDefault, Type: type = 'DEFAULT' } = input
    const list = ['ListChannelMemberships', ChannelArn, ChimeBearer, type]
    const rows = await context.read.all<{ app_instance_user_arn: string; name: string }>(
      `SELECT app_instance_user_arn, name FROM channel_membership
       JOIN app_instance_user ON app_instance_user_arn = member_arn
       WHERE channel_arn = $1 AND type = $2 AND member_arn > $3 ORDER BY member_arn LIMIT $4`,
      ChannelArn,
      type,
      readNextToken<string>(context, list, input.NextToken) ?? '',
      size + 1,
    )
    const { page, last } = pageOf(rows, size)
    return {
      ChannelArn,
      ChannelMemberships: page.map((user) => ({ Member: identityOf(user) })),
      NextToken: last && writeNextToken(context, list, last.app_instance_user_arn),
    }
  },
})
