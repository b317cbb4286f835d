import Type from 'typebox'
import { forbidden } from '../../contract/api-error.ts'
import { bearer, optional, path } from '../../contract/binding.ts'
import { ChannelMembershipType, ChimeArn, SubChannelId } from '../../contract/shapes.ts'
import {
  BatchChannelMemberships,
  BatchCreateChannelMembershipError,
  MemberArns,
} from '../../contract/structures/channel-memberships.ts'
import { accessTo } from '../access.ts'
import { identityOf } from '../app-instance-users/app-instance-user.ts'
import { operation } from '../context.ts'
import { rejectSubChannel } from '../sub-channels.ts'
import { addBatch } from './batch.ts'
import { mayAdd } from './channel-membership.ts'

/** Adds each member separately: some may be added and others rejected. One event notifies the channel of the added ones. */
export const BatchCreateChannelMembership = operation({
  name: 'BatchCreateChannelMembership',
  http: 'POST /channels/{ChannelArn}/memberships?operation=batch-create 200',
  input: {
    ChannelArn: path(ChimeArn),
    ChimeBearer: bearer(),
    Type: optional(ChannelMembershipType),
    MemberArns,
    SubChannelId: optional(SubChannelId),
  },
  output: {
    BatchChannelMemberships: optional(BatchChannelMemberships),
    Errors: optional(Type.Array(BatchCreateChannelMembershipError)),
  },
  errors: ['BadRequest', 'Forbidden', 'NotFound', 'ResourceLimitExceeded'],
  resources: ['ChimeBearer', 'ChannelArn'],
  rate: 'batch',
  async allow(input, context) {
    const access = await accessTo(input, context)
    if (!mayAdd(access, input.MemberArns, input.Type ?? 'DEFAULT')) throw forbidden()
    return access
  },
  async handle(input, { store, now }, { bearer: invitedBy, channel }) {
    rejectSubChannel(input.SubChannelId)
    const { ChannelArn, MemberArns, Type: type = 'DEFAULT' } = input
    const { members, errors } = await store.transaction((transaction) =>
      addBatch(transaction, { channel, memberArns: MemberArns, type, invitedBy, now: now() }),
    )
    return {
      BatchChannelMemberships: {
        InvitedBy: identityOf(invitedBy),
        Type: type,
        Members: members.map(identityOf),
        ChannelArn,
      },
      Errors: errors.map(({ memberArn, error }) => ({
        MemberArn: memberArn,
        ErrorCode: error.code,
        ErrorMessage: error.message,
      })),
    }
  },
})
