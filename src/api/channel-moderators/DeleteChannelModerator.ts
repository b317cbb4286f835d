import { bearer, path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { mayModerateChannel } from '../access.ts'
import { deleteRole, moderator } from '../channel-role.ts'
import { operation } from '../context.ts'

/** A membership stays: role and membership are independent. */
export const DeleteChannelModerator = operation({
  name: 'DeleteChannelModerator',
  http: 'DELETE /channels/{ChannelArn}/moderators/{ChannelModeratorArn} 204',
  input: { ChannelArn: path(ChimeArn), ChannelModeratorArn: path(ChimeArn), ChimeBearer: bearer() },
  output: {},
  errors: ['BadRequest', 'Forbidden'],
  resources: ['ChimeBearer', 'ChannelArn', 'ChannelModeratorArn'],
  rate: 'members',
  allow: mayModerateChannel,
  async handle({ ChannelModeratorArn }, { store }, { channel }) {
    return store.transaction(async (transaction) => {
      await deleteRole(transaction, moderator, channel.channel_id, ChannelModeratorArn)
      return {}
    })
  },
})
