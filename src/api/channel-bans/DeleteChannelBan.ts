import { bearer, path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { mayModerateChannel } from '../access.ts'
import { ban, deleteRole } from '../channel-role.ts'
import { operation } from '../context.ts'

/** Afterwards the user can be added again. This operation does not add it. */
export const DeleteChannelBan = operation({
  name: 'DeleteChannelBan',
  http: 'DELETE /channels/{ChannelArn}/bans/{MemberArn} 204',
  input: { ChannelArn: path(ChimeArn), MemberArn: path(ChimeArn), ChimeBearer: bearer() },
  output: {},
  errors: ['BadRequest', 'Forbidden'],
  resources: ['ChimeBearer', 'ChannelArn', 'MemberArn'],
  rate: 'members',
  allow: mayModerateChannel,
  async handle({ MemberArn }, { store }, { channel }) {
    return store.transaction(async (transaction) => {
      await deleteRole(transaction, ban, channel.channel_id, MemberArn)
      return {}
    })
  },
})
