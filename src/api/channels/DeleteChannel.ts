import { bearer, path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import type { RunRow } from '../../store/tables.ts'
import { mayModerateChannel } from '../access.ts'
import { operation } from '../context.ts'

/**
 * All that names the channel. A channel that is made later with the same id knows nothing of this one. In the order in
 * which a message that is being accepted holds on to them; the log and its head, which the last event needs, come at the end.
 */
const tables = ['channel_membership', 'channel', 'channel_moderator', 'channel_message', 'flow_step', 'flow_run']
const logTables = ['channel_log', 'channel_head']

/** The channel goes with all that is in it. Messages in processing are dropped, and their callbacks are Forbidden. */
export const DeleteChannel = operation({
  name: 'DeleteChannel',
  http: 'DELETE /channels/{ChannelArn} 204',
  input: { ChannelArn: path(ChimeArn), ChimeBearer: bearer() },
  output: {},
  errors: ['BadRequest', 'Conflict', 'Forbidden'],
  allow: mayModerateChannel,
  async handle({ ChannelArn }, { store, now }, { channel }) {
    return store.transaction(async (transaction) => {
      const runs = `SELECT * FROM flow_run WHERE channel_arn = $1 AND state = 'RUNNING'`
      for (const run of await transaction.all<RunRow>(runs, ChannelArn)) await transaction.endSteps(run, now())
      const empty = (table: string) => transaction.run(`DELETE FROM ${table} WHERE channel_arn = $1`, ChannelArn)
      for (const table of tables) await empty(table)
      await transaction.append({
        channelArn: ChannelArn,
        eventType: 'DELETE_CHANNEL',
        audience: { to: 'members' },
        createdAt: now(),
        about: { channel },
      })
      for (const table of logTables) await empty(table)
      await transaction.run('DELETE FROM tag WHERE resource_arn = $1', ChannelArn)
      await transaction.run('DELETE FROM idempotency_token WHERE scope = $1', ChannelArn)
      return {}
    })
  },
})
