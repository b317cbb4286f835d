import { forbidden, notFound } from '../../contract/api-error.ts'
import { isPrincipalOf } from '../../contract/arn.ts'
import { bearer, optional, path } from '../../contract/binding.ts'
import { ChannelMembershipType, ChimeArn, SubChannelId } from '../../contract/shapes.ts'
import { Identity } from '../../contract/structures/identity.ts'
import { accessTo } from '../access.ts'
import { findUser, identityOf, invalidUserArn } from '../app-instance-users/app-instance-user.ts'
import { operation } from '../context.ts'
import { rejectSubChannel } from '../sub-channels.ts'
import { addMember, mayAdd, requireNotBanned } from './channel-membership.ts'

export const CreateChannelMembership = operation({
  name: 'CreateChannelMembership',
  http: 'POST /channels/{ChannelArn}/memberships 201',
  input: {
    ChannelArn: path(ChimeArn),
    ChimeBearer: bearer(),
    MemberArn: ChimeArn,
    Type: ChannelMembershipType,
    SubChannelId: optional(SubChannelId),
  },
  output: { ChannelArn: optional(ChimeArn), Member: optional(Identity), SubChannelId: optional(SubChannelId) },
  errors: ['BadRequest', 'Conflict', 'Forbidden', 'NotFound', 'ResourceLimitExceeded'],
  resources: ['ChimeBearer', 'ChannelArn'],
  rate: 'members',
  async allow(input, context) {
    const access = await accessTo(input, context)
    if (!mayAdd(access, [input.MemberArn], input.Type)) throw forbidden()
    return access
  },
  async handle({ ChannelArn, MemberArn, Type, SubChannelId }, { store, now }, { bearer: invitedBy, channel }) {
    rejectSubChannel(SubChannelId)
    if (!isPrincipalOf(channel.app_instance_arn, MemberArn)) throw invalidUserArn()
    return store.transaction(async (transaction) => {
      const member = await findUser(transaction, MemberArn)
      if (!member) throw notFound('The user that MemberArn names does not exist')
      await requireNotBanned(transaction, channel.channel_id, member.user_id)
      await addMember(transaction, { channel, member, type: Type, invitedBy, now: now() })
      return { ChannelArn, Member: identityOf(member) }
    })
  },
})
