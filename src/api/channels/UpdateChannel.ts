import { bearer, optional, path } from '../../contract/binding.ts'
import { ChannelMode, ChimeArn, Metadata, NonEmptyResourceName } from '../../contract/shapes.ts'
import { mayModerateChannel } from '../access.ts'
import { requireChannelTextPasses } from '../app-instances/flow-policy.ts'
import { operation } from '../context.ts'
import { append } from '../events/append.ts'
import { updateChannel } from '../events/update-channel.ts'
import { toJson } from '../json-text.ts'
import { requireChannel } from './channel.ts'

/**
 * Absent members of the input do not change the channel. The channel's members receive the complete channel.
 */
export const UpdateChannel = operation({
  name: 'UpdateChannel',
  http: 'PUT /channels/{ChannelArn} 200',
  input: {
    ChannelArn: path(ChimeArn),
    ChimeBearer: bearer(),
    Name: optional(NonEmptyResourceName),
    Mode: optional(ChannelMode),
    Metadata: optional(Metadata),
  },
  output: { ChannelArn: optional(ChimeArn) },
  errors: ['BadRequest', 'Conflict', 'Forbidden'],
  resources: ['ChimeBearer', 'ChannelArn'],
  allow: mayModerateChannel,
  async handle({ ChannelArn, Name, Mode, Metadata }, context, access) {
    const { store, now } = context
    if (Name !== undefined || Metadata !== undefined) requireChannelTextPasses(access.policy, context)
    const channelId = access.channel.channel_id
    return store.transaction(async (transaction) => {
      await transaction.run(
        `UPDATE channel SET name = coalesce($2, name), mode = coalesce($3, mode), metadata = coalesce($4, metadata),
           updated_at = $5 WHERE channel_id = $1`,
        channelId,
        toJson(Name),
        Mode ?? null,
        toJson(Metadata),
        now(),
      )
      const channel = await requireChannel(transaction, channelId)
      await append(transaction, updateChannel, channel, channel.updated_at)
      return { ChannelArn }
    })
  },
})
