import { conflict } from '../../contract/api-error.ts'
import { bearer, optional, path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { Identity } from '../../contract/structures/identity.ts'
import { mayModerateChannel } from '../access.ts'
import { identityOf, lockUser, requireUserOf } from '../app-instance-users/app-instance-user.ts'
import { requireNotBanned } from '../channel-memberships/channel-membership.ts'
import { insertRole, moderator } from '../channel-role.ts'
import { requireChannel } from '../channels/channel.ts'
import { operation } from '../context.ts'
import { requireFew } from '../quotas.ts'

/** A moderator need not be a member, and does not become one. */
export const CreateChannelModerator = operation({
  name: 'CreateChannelModerator',
  http: 'POST /channels/{ChannelArn}/moderators 201',
  input: { ChannelArn: path(ChimeArn), ChannelModeratorArn: ChimeArn, ChimeBearer: bearer() },
  output: { ChannelArn: optional(ChimeArn), ChannelModerator: optional(Identity) },
  errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
  resources: ['ChimeBearer', 'ChannelArn'],
  rate: 'members',
  allow: mayModerateChannel,
  async handle({ ChannelArn, ChannelModeratorArn }, { store, now }, { bearer: createdBy, channel }) {
    const { channel_id, app_instance_arn } = channel
    return store.transaction(async (transaction) => {
      await requireChannel(transaction, channel_id)
      const user = await requireUserOf(transaction, app_instance_arn, ChannelModeratorArn)
      await lockUser(transaction, user.user_id)
      await requireNotBanned(transaction, channel_id, user.user_id)
      const inserted = await insertRole(transaction, moderator, { channel_id, user, createdBy, now: now() })
      if (!inserted) throw conflict('The user is a moderator of the channel already')
      const moderators = 'FROM channel_moderator WHERE channel_id = $1'
      await requireFew(transaction, 'moderatorsPerChannel', moderators, channel_id)
      return { ChannelArn, ChannelModerator: identityOf(user) }
    })
  },
})
