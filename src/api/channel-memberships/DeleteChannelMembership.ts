import { conflict, forbidden } from '../../contract/api-error.ts'
import { isPrincipalOf } from '../../contract/arn.ts'
import { bearer, optional, path, query } from '../../contract/binding.ts'
import { ChimeArn, SubChannelId } from '../../contract/shapes.ts'
import type { Transaction } from '../../store/store.ts'
import { accessTo, type ChannelAccess, maySeeChannel } from '../access.ts'
import { findUser, invalidUserArn } from '../app-instance-users/app-instance-user.ts'
import { operation } from '../context.ts'
import { refuseSubChannel } from '../sub-channels.ts'
import { findMembership, removeMember } from './channel-membership.ts'

/**
 * A user may always leave. Moderators and admins remove any member, and members each other in an UNRESTRICTED channel.
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
  async allow(input, context) {
    if (input.MemberArn === input.ChimeBearer) return maySeeChannel(input, context)
    const access = await accessTo(input, context)
    const isAmongEquals = access.membership === 'DEFAULT' && access.channel.mode === 'UNRESTRICTED'
    if (!isAmongEquals && !access.moderates && !access.administers) throw forbidden()
    return access
  },
  async handle({ MemberArn, SubChannelId }, { store, now }, access) {
    refuseSubChannel(SubChannelId)
    if (!isPrincipalOf(access.channel.app_instance_arn, MemberArn)) throw invalidUserArn()
    return store.transaction(async (transaction) => {
      const memberId = await requireKnownMember(transaction, MemberArn, access)
      await removeMember(transaction, { channel_id: access.channel.channel_id, member_id: memberId }, now())
      return {}
    })
  },
})

/** The member's number. Throws a Conflict if there is no such member, or none of which the bearer may know. */
async function requireKnownMember(
  transaction: Transaction,
  memberArn: string,
  { bearer, channel, moderates, administers }: ChannelAccess,
): Promise<number> {
  const user = await findUser(transaction, memberArn)
  const membership = user && (await findMembership(transaction, channel.channel_id, user.user_id))
  const knowsHidden = moderates || administers || user?.user_id === bearer.user_id
  if (membership && (membership.type === 'DEFAULT' || knowsHidden)) return membership.member_id
  throw conflict('The user is not a member of the channel')
}
