import { bearer, path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import type { RunRow } from '../../store/tables.ts'
import { mayModerateChannel } from '../access.ts'
import { operation } from '../context.ts'
import { append } from '../events/append.ts'
import { deleteChannel } from '../events/delete-channel.ts'
import { requireChannel } from './channel.ts'

/** What is in the channel, in the order in which AcceptMessage locks rows: in another order the two would deadlock. */
const tables = [
  'channel',
  'channel_membership',
  'channel_moderator',
  'channel_ban',
  'channel_message',
  'flow_step',
  'flow_run',
]

/** The channel goes with all that is in it. Messages in processing are dropped, and their callbacks are Forbidden. */
export const DeleteChannel = operation({
  name: 'DeleteChannel',
  http: 'DELETE /channels/{ChannelArn} 204',
  input: { ChannelArn: path(ChimeArn), ChimeBearer: bearer() },
  output: {},
  errors: ['BadRequest', 'Conflict', 'Forbidden'],
  resources: ['ChimeBearer', 'ChannelArn'],
  allow: mayModerateChannel,
  async handle({ ChannelArn }, { store, now }, { channel }) {
    const { channel_id: channelId } = channel
    return store.transaction(async (transaction) => {
      await requireChannel(transaction, channelId)
      const runs = `SELECT * FROM run_view WHERE channel_id = $1 AND state = 'RUNNING'`
      for (const run of await transaction.all<RunRow>(runs, channelId)) await transaction.endStep(run, now())
      await transaction.run(
        `UPDATE app_instance_user SET memberships = memberships - 1
         WHERE user_id IN (SELECT member_id FROM channel_membership WHERE channel_id = $1)`,
        channelId,
      )
      for (const table of tables) await transaction.run(`DELETE FROM ${table} WHERE channel_id = $1`, channelId)
      const seq = await append(transaction, deleteChannel, channel, now())
      // The last event and the head stay: a node that has missed the deletion finds it there.
      await transaction.run('DELETE FROM channel_log WHERE channel_id = $1 AND seq < $2', channelId, seq)
      await transaction.run(
        'UPDATE channel_head SET deleted_at = $2, members = 0, last_message_at = NULL WHERE channel_id = $1',
        channelId,
        now(),
      )
      await transaction.run('DELETE FROM tag WHERE resource_arn = $1', ChannelArn)
      return {}
    })
  },
})
