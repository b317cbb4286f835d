import { badRequest, conflict } from '../../contract/api-error.ts'
import { bearer, optional, path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { Identity } from '../../contract/structures/identity.ts'
import type { Reader } from '../../store/store.ts'
import type { ChannelRow } from '../../store/tables.ts'
import { isAdmin, mayModerateChannel } from '../access.ts'
import {
  type AppInstanceUserRow,
  identityOf,
  lockUser,
  requireUserOf,
} from '../app-instance-users/app-instance-user.ts'
import { removeMember } from '../channel-memberships/channel-membership.ts'
import { ban, findRole, insertRole, moderator } from '../channel-role.ts'
import { requireChannel } from '../channels/channel.ts'
import { operation } from '../context.ts'
import { failAllButOnePiece, failHeld } from './held-messages.ts'

/** Ends the user's membership, and fails its held messages. A user without a membership can be banned, too. */
export const CreateChannelBan = operation({
  name: 'CreateChannelBan',
  http: 'POST /channels/{ChannelArn}/bans 201',
  input: { ChannelArn: path(ChimeArn), MemberArn: ChimeArn, ChimeBearer: bearer() },
  output: { ChannelArn: optional(ChimeArn), Member: optional(Identity) },
  errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
  resources: ['ChimeBearer', 'ChannelArn'],
  rate: 'members',
  allow: mayModerateChannel,
  async handle({ ChannelArn, MemberArn }, context, { bearer: createdBy, channel }) {
    const { channel_id } = channel
    const { user_id: member_id } = await requireBannable(context.read, channel, MemberArn)
    await failAllButOnePiece({ channelId: channel_id, senderId: member_id }, context)
    // Every send updates the head: at SERIALIZABLE, a ban would never commit during steady sends.
    return context.store.transaction(async (transaction) => {
      await lockUser(transaction, member_id)
      await requireChannel(transaction, channel_id)
      const member = await requireBannable(transaction, channel, MemberArn)
      const now = context.now()
      if (!(await insertRole(transaction, ban, { channel_id, user: member, createdBy, now }))) throw alreadyBanned()
      const fail = () => failHeld(transaction, { channelId: channel_id, senderId: member_id }, context)
      const membership = await removeMember(transaction, { channel_id, member_id }, now, fail)
      // A user that has left may still have held messages.
      if (!membership) await fail()
      return { ChannelArn, Member: identityOf(member) }
    }, 'read committed')
  },
})

const alreadyBanned = () => conflict('The user is banned from the channel already')

/** Throws unless MemberArn is a user of the AppInstance that has no role in the channel, and is not banned yet. */
async function requireBannable(read: Reader, channel: ChannelRow, memberArn: string): Promise<AppInstanceUserRow> {
  const user = await requireUserOf(read, channel.app_instance_arn, memberArn)
  const hasRole = (await isAdmin(read, user)) || (await findRole(read, moderator, channel.channel_id, memberArn))
  if (hasRole) throw badRequest('An AppInstanceAdmin or a moderator of the channel cannot be banned from it')
  if (await findRole(read, ban, channel.channel_id, memberArn)) throw alreadyBanned()
  return user
}
