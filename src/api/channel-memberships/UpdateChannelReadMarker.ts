import { forbidden } from '../../contract/api-error.ts'
import { bearer, optional, path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { mayActAsMember } from '../access.ts'
import { operation } from '../context.ts'

/**
 * The marker is never before the channel's last message: otherwise, after the clock was set back, that message would stay
 * unread for ever. The membership's LastUpdatedTimestamp does not change, because other users see it and only the owner may
 * see the marker.
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
    // The membership or the channel was deleted in the meantime.
    if (marked === 0) throw forbidden()
    return { ChannelArn }
  },
})
