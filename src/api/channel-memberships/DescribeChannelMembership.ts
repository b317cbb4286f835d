import { notFound } from '../../contract/api-error.ts'
import { bearer, optional, path, query } from '../../contract/binding.ts'
import { ChimeArn, SubChannelId } from '../../contract/shapes.ts'
import { ChannelMembership } from '../../contract/structures/channel-memberships.ts'
import { maySeeChannel } from '../access.ts'
import { operation } from '../context.ts'
import { rejectSubChannel } from '../sub-channels.ts'
import { epochSeconds } from '../times.ts'
import { findKnownMembership } from './channel-membership.ts'
import { membershipToWire } from './membership-to-wire.ts'

export const DescribeChannelMembership = operation({
  name: 'DescribeChannelMembership',
  http: 'GET /channels/{ChannelArn}/memberships/{MemberArn} 200',
  input: {
    ChannelArn: path(ChimeArn),
    MemberArn: path(ChimeArn),
    ChimeBearer: bearer(),
    SubChannelId: query('sub-channel-id', optional(SubChannelId)),
  },
  output: { ChannelMembership: optional(ChannelMembership) },
  errors: ['BadRequest', 'Forbidden', 'NotFound'],
  resources: ['ChimeBearer', 'ChannelArn', 'MemberArn'],
  allow: maySeeChannel,
  async handle({ MemberArn, SubChannelId }, { read }, access) {
    rejectSubChannel(SubChannelId)
    const row = await findKnownMembership(read, MemberArn, access)
    if (!row) throw notFound('The user that MemberArn names is not a member of the channel')
    return { ChannelMembership: membershipToWire(row, epochSeconds) }
  },
})
