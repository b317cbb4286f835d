import { bearer, path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { mayModerateChannel } from '../access.ts'
import { invalidUserArn } from '../app-instance-users/app-instance-user.ts'
import { operation } from '../context.ts'
import { findModerator } from './channel-moderator.ts'

/** A membership stays: role and membership are apart. */
export const DeleteChannelModerator = operation({
  name: 'DeleteChannelModerator',
  http: 'DELETE /channels/{ChannelArn}/moderators/{ChannelModeratorArn} 204',
  input: { ChannelArn: path(ChimeArn), ChannelModeratorArn: path(ChimeArn), ChimeBearer: bearer() },
  output: {},
  errors: ['BadRequest', 'Forbidden'],
  resources: ['ChimeBearer', 'ChannelArn', 'ChannelModeratorArn'],
  allow: mayModerateChannel,
  async handle({ ChannelModeratorArn }, { store }, { channel }) {
    return store.transaction(async (transaction) => {
      const moderator = await findModerator(transaction, channel.channel_id, ChannelModeratorArn)
      if (!moderator) throw invalidUserArn()
      await transaction.run(
        'DELETE FROM channel_moderator WHERE channel_id = $1 AND moderator_id = $2',
        channel.channel_id,
        moderator.user_id,
      )
      return {}
    })
  },
})
