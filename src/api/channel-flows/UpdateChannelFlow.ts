import { optional, path } from '../../contract/binding.ts'
import { ChimeArn, NonEmptyResourceName } from '../../contract/shapes.ts'
import { ProcessorList } from '../../contract/structures/channel-flows.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { toJsonText } from '../json-text.ts'
import { listTags } from '../tags/tag.ts'
import { requireChannelFlow, requireDistinctOrder } from './channel-flow.ts'
import { policyColumns } from './channel-flow-tags.ts'

/**
 * Replaces name and processors. Held messages keep the snapshot of the flow. A `carillon:` tag for one processor needs that
 * processor afterwards, too.
 */
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
      const { processors_json, deadline_ms } = policyColumns(Processors, await listTags(transaction, ChannelFlowArn))
      await transaction.run(
        `UPDATE channel_flow SET name = $2, processors_json = $3, deadline_ms = $4, updated_at = $5
         WHERE channel_flow_arn = $1`,
        ChannelFlowArn,
        toJsonText(Name),
        processors_json,
        deadline_ms,
        now(),
      )
      return { ChannelFlowArn }
    })
  },
})
