import { conflict } from '../../contract/api-error.ts'
import { path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { byCredentialsAlone } from '../access.ts'
import { requireNotInPolicy } from '../app-instances/flow-policy.ts'
import { operation } from '../context.ts'
import { requireChannelFlow } from './channel-flow.ts'

/** Held messages keep the snapshot of the flow. */
export const DeleteChannelFlow = operation({
  name: 'DeleteChannelFlow',
  http: 'DELETE /channel-flows/{ChannelFlowArn} 204',
  input: { ChannelFlowArn: path(ChimeArn) },
  output: {},
  errors: ['BadRequest', 'Conflict', 'Forbidden'],
  resources: ['ChannelFlowArn'],
  audited: [],
  allow: byCredentialsAlone,
  async handle({ ChannelFlowArn }, { store }) {
    return store.transaction(async (transaction) => {
      await requireChannelFlow(transaction, ChannelFlowArn)
      await requireNotInPolicy(transaction, ChannelFlowArn)
      const channels = 'SELECT 1 FROM channel_view WHERE channel_flow_arn = $1 LIMIT 1'
      const channel = await transaction.get(channels, ChannelFlowArn)
      if (channel) throw conflict('The channel flow is associated with a channel: disassociate it first')
      await transaction.run('DELETE FROM channel_flow WHERE channel_flow_arn = $1', ChannelFlowArn)
      await transaction.run('DELETE FROM tag WHERE resource_arn = $1', ChannelFlowArn)
      return {}
    })
  },
})
