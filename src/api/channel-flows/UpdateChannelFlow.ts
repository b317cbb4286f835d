import { optional, path } from '../../contract/binding.ts'
import { ChimeArn, NonEmptyResourceName } from '../../contract/shapes.ts'
import { ProcessorList } from '../../contract/structures/channel-flows.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { toJsonText } from '../json-text.ts'
import { requireChannelFlow, requireDistinctOrder } from './channel-flow.ts'

/** Replaces name and processors. Held messages keep the snapshot of the flow. */
export const UpdateChannelFlow = operation({
  name: 'UpdateChannelFlow',
  http: 'PUT /channel-flows/{ChannelFlowArn} 200',
  input: { ChannelFlowArn: path(ChimeArn), Processors: ProcessorList, Name: NonEmptyResourceName },
  output: { ChannelFlowArn: optional(ChimeArn) },
  errors: ['BadRequest', 'Conflict', 'Forbidden'],
  resources: ['ChannelFlowArn'],
  audited: ['Processors'],
  allow: byCredentialsAlone,
  async handle({ ChannelFlowArn, Processors, Name }, { store, now }) {
    requireDistinctOrder(Processors)
    return store.transaction(async (transaction) => {
      await requireChannelFlow(transaction, ChannelFlowArn)
      await transaction.run(
        'UPDATE channel_flow SET name = $2, processors_json = $3, updated_at = $4 WHERE channel_flow_arn = $1',
        ChannelFlowArn,
        toJsonText(Name),
        JSON.stringify(Processors),
        now(),
      )
      return { ChannelFlowArn }
    })
  },
})
