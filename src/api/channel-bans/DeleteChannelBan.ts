import { bearer, path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { mayModerateChannel } from '../access.ts'
import { invalidUserArn } from '../app-instance-users/app-instance-user.ts'
import { operation } from '../context.ts'
import { findBan } from './channel-ban.ts'

/** The user may be added again, and is not added by this. */
export const DeleteChannelBan = operation({
  name: 'DeleteChannelBan',
  http: 'DELETE /channels/{ChannelArn}/bans/{MemberArn} 204',
  input: { ChannelArn: path(ChimeArn), MemberArn: path(ChimeArn), ChimeBearer: bearer() },
  output: {},
  errors: ['BadRequest', 'Forbidden'],
  resources: ['ChimeBearer', 'ChannelArn', 'MemberArn'],
  allow: mayModerateChannel,
  async handle({ MemberArn }, { store }, { channel }) {
    return store.transaction(async (transaction) => {
      const ban = await findBan(transaction, channel.channel_id, MemberArn)
      if (!ban) throw invalidUserArn()
      await transaction.run(
        'DELETE FROM channel_ban WHERE channel_id = $1 AND member_id = $2',
        channel.channel_id,
        ban.user_id,
      )
      return {}
    })
  },
})
