import { channelFlowArn } from '../../contract/arn.ts'
import { idempotencyToken, optional } from '../../contract/binding.ts'
import { ChimeArn, ClientRequestToken, NonEmptyResourceName } from '../../contract/shapes.ts'
import { ProcessorList } from '../../contract/structures/channel-flows.ts'
import { TagList } from '../../contract/structures/tags.ts'
import { byCredentialsAlone } from '../access.ts'
import { requireAppInstance } from '../app-instances/app-instance.ts'
import { operation } from '../context.ts'
import { once } from '../idempotency.ts'
import { toJsonText } from '../json-text.ts'
import { requireFew } from '../quotas.ts'
import { putTags, readExtensionTags } from '../tags/tag.ts'
import { type ChannelFlowRow, requireDistinctOrder } from './channel-flow.ts'
import { channelFlowTags, policyColumns } from './channel-flow-tags.ts'

export const CreateChannelFlow = operation({
  name: 'CreateChannelFlow',
  http: 'POST /channel-flows 201',
  input: {
    AppInstanceArn: ChimeArn,
    Processors: ProcessorList,
    Name: NonEmptyResourceName,
    Tags: optional(TagList),
    ClientRequestToken: idempotencyToken(ClientRequestToken),
  },
  output: { ChannelFlowArn: optional(ChimeArn) },
  errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
  resources: ['AppInstanceArn'],
  tokenScope: 'AppInstanceArn',
  audited: ['ChannelFlowArn', 'Processors', 'Tags'],
  allow: byCredentialsAlone,
  async handle(input, context) {
    const { AppInstanceArn, Processors } = input
    requireDistinctOrder(Processors)
    readExtensionTags(input.Tags, channelFlowTags)
    const policy = policyColumns(Processors, input.Tags)
    return once(input, context, async (transaction, now) => {
      await requireAppInstance(transaction, AppInstanceArn)
      const arn = channelFlowArn(AppInstanceArn, context.newId())
      await transaction.insert<ChannelFlowRow>('channel_flow', {
        channel_flow_arn: arn,
        app_instance_arn: AppInstanceArn,
        name: toJsonText(input.Name),
        ...policy,
        created_at: now,
        updated_at: now,
      })
      const flows = 'FROM channel_flow WHERE app_instance_arn = $1'
      await requireFew(transaction, 'channelFlowsPerAppInstance', flows, AppInstanceArn)
      await putTags(transaction, arn, input.Tags)
      return { ChannelFlowArn: arn }
    })
  },
})
