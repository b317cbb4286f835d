import { conflict, forbidden } from '../../contract/api-error.ts'
import { isPrincipalOf } from '../../contract/arn.ts'
import { bearer, optional, path, query } from '../../contract/binding.ts'
import { ChimeArn, SubChannelId } from '../../contract/shapes.ts'
import { accessTo, maySeeChannel } from '../access.ts'
import { invalidUserArn } from '../app-instance-users/app-instance-user.ts'
import { operation } from '../context.ts'
import { rejectSubChannel } from '../sub-channels.ts'
import { findKnownMembership, removeMember } from './channel-membership.ts'

/**
 * A user may always leave. Moderators and admins may remove any member. Members may remove each other in an UNRESTRICTED
 * channel.
 */
export const DeleteChannelMembership = operation({
  name: 'DeleteChannelMembership',
  http: 'DELETE /channels/{ChannelArn}/memberships/{MemberArn} 204',
  input: {
    ChannelArn: path(ChimeArn),
    MemberArn: path(ChimeArn),
    ChimeBearer: bearer(),
    SubChannelId: query('sub-channel-id', optional(SubChannelId)),
  },
  output: {},
  errors: ['BadRequest', 'Conflict', 'Forbidden'],
  resources: ['ChimeBearer', 'ChannelArn', 'MemberArn'],
  rate: 'members',
  async allow(input, context) {
    if (input.MemberArn === input.ChimeBearer) return maySeeChannel(input, context)
    const access = await accessTo(input, context)
    const isAmongEquals = access.membership === 'DEFAULT' && access.channel.mode === 'UNRESTRICTED'
    if (!isAmongEquals && !access.moderates && !access.administers) throw forbidden()
    return access
  },
  async handle({ MemberArn, SubChannelId }, { store, now }, access) {
    rejectSubChannel(SubChannelId)
    if (!isPrincipalOf(access.channel.app_instance_arn, MemberArn)) throw invalidUserArn()
    return store.transaction(async (transaction) => {
      const membership = await findKnownMembership(transaction, MemberArn, access)
      if (!membership) throw conflict('The user is not a member of the channel')
      await removeMember(transaction, membership, now())
      return {}
    })
  },
})
