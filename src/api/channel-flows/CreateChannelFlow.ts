import { channelFlowArn } from '../../contract/arn.ts'
import { idempotencyToken, optional } from '../../contract/binding.ts'
import { ChimeArn, ClientRequestToken, NonEmptyResourceName } from '../../contract/shapes.ts'
import { ProcessorList, TagList } from '../../contract/structures.ts'
import { byCredentialsAlone } from '../access.ts'
import { findAppInstance } from '../app-instances/app-instance.ts'
import { operation } from '../context.ts'
import { once } from '../idempotency.ts'
import { toJsonText } from '../json-text.ts'
import { requireWithinQuota } from '../quotas.ts'
import { insertTags, readExtensionTags } from '../tags.ts'
import { channelFlowTags, defaultDeadlineMs, requireDistinctOrder } from './channel-flow.ts'

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
  allow: byCredentialsAlone,
  async handle(input, context) {
    const { AppInstanceArn, Processors, ClientRequestToken: token } = input
    requireDistinctOrder(Processors)
    const extensions = readExtensionTags(input.Tags, channelFlowTags)
    const deadlineMs = (extensions.get('carillon:deadline') as number | undefined) ?? defaultDeadlineMs
    const caller = context.credentials.accessKeyId
    const call = { operation: 'CreateChannelFlow', scope: AppInstanceArn, caller, token, parameters: input }
    return once(context, call, async (transaction) => {
      await findAppInstance(transaction, AppInstanceArn)
      const arn = channelFlowArn(AppInstanceArn, context.newId())
      await transaction.run(
        'INSERT INTO channel_flow VALUES ($1, $2, $3, $4, $5, $6, $6)',
        arn,
        AppInstanceArn,
        toJsonText(input.Name),
        JSON.stringify(Processors),
        deadlineMs,
        context.now(),
      )
      const flows = 'FROM channel_flow WHERE app_instance_arn = $1'
      await requireWithinQuota(transaction, 'channelFlowsPerAppInstance', flows, AppInstanceArn)
      await insertTags(transaction, arn, input.Tags)
      return { ChannelFlowArn: arn }
    })
  },
})
