import { forbidden } from '../../contract/api-error.ts'
import { bearer, path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import type { Transaction } from '../../store/store.ts'
import { mayModerateChannel } from '../access.ts'
import { operation } from '../context.ts'
import { markChannelDeleted } from './mark-channel-deleted.ts'

/**
 * Deletes the channel with its contents, for all users at once; background work purges the rows. Held messages are dropped,
 * and their callbacks are Forbidden.
 */
export const DeleteChannel = operation({
  name: 'DeleteChannel',
  http: 'DELETE /channels/{ChannelArn} 204',
  input: { ChannelArn: path(ChimeArn), ChimeBearer: bearer() },
  output: {},
  errors: ['BadRequest', 'Conflict', 'Forbidden'],
  resources: ['ChimeBearer', 'ChannelArn'],
  allow: mayModerateChannel,
  async handle(_input, { store, now }, { channel }) {
    const mark = (transaction: Transaction) => markChannelDeleted(transaction, channel, now())
    if (!(await store.transaction(mark, 'read committed'))) throw forbidden()
    return {}
  },
})
