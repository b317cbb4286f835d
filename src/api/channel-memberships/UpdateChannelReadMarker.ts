import { forbidden } from '../../contract/api-error.ts'
import { bearer, optional, path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { mayActAsMember } from '../access.ts'
import { operation } from '../context.ts'

/**
 * The marker is never before the channel's last message: else a clock that was set back would leave that message unread for
 * ever. LastUpdatedTimestamp of the membership stays, since others see it and the marker is for its owner alone.
 */
export const UpdateChannelReadMarker = operation({
  name: 'UpdateChannelReadMarker',
  http: 'PUT /channels/{ChannelArn}/readMarker 200',
  input: { ChannelArn: path(ChimeArn), ChimeBearer: bearer() },
  output: { ChannelArn: optional(ChimeArn) },
  errors: ['BadRequest', 'Conflict', 'Forbidden'],
  resources: ['ChimeBearer', 'ChannelArn'],
  allow: mayActAsMember,
  async handle({ ChannelArn }, { store, now }, { bearer: reader, channel }) {
    const marked = await store.write(
      `UPDATE channel_membership SET read_marker_at = CASE WHEN last_message_at > $3 THEN last_message_at ELSE $3 END
       FROM channel_head WHERE channel_head.channel_id = $1 AND deleted_at IS NULL
         AND channel_membership.channel_id = $1 AND member_id = $2`,
      channel.channel_id,
      reader.user_id,
      now(),
    )
    // The member or the channel is gone meanwhile.
    if (marked === 0) throw forbidden()
    return { ChannelArn }
  },
})
