import Type from 'typebox'
import { optional, query } from '../../contract/binding.ts'
import { ChimeArn, NextToken } from '../../contract/shapes.ts'
import { ChannelFlowSummary } from '../../contract/structures/channel-flows.ts'
import { byCredentialsAlone } from '../access.ts'
import { requireAppInstance } from '../app-instances/app-instance.ts'
import { operation } from '../context.ts'
import { pageMembers, readPage } from '../paging.ts'
import { type ChannelFlowRow, channelFlowSummary } from './channel-flow.ts'

/** In the order of the ARNs: AWS documents no order, and this one never changes. */
export const ListChannelFlows = operation({
  name: 'ListChannelFlows',
  http: 'GET /channel-flows 200',
  input: {
    AppInstanceArn: query('app-instance-arn', ChimeArn),
    ...pageMembers,
  },
  output: { ChannelFlows: optional(Type.Array(ChannelFlowSummary)), NextToken: optional(NextToken) },
  errors: ['BadRequest', 'Forbidden'],
  resources: ['AppInstanceArn'],
  allow: byCredentialsAlone,
  async handle(input, context) {
    const { AppInstanceArn } = input
    await requireAppInstance(context.read, AppInstanceArn)
    const { page, NextToken } = await readPage(context, input, {
      start: '',
      rowsAfter: (arn, rowsMax) =>
        context.read.all<ChannelFlowRow>(
          `SELECT * FROM channel_flow WHERE app_instance_arn = $1 AND channel_flow_arn > $2
           ORDER BY channel_flow_arn LIMIT $3`,
          AppInstanceArn,
          arn,
          rowsMax,
        ),
      positionOf: (flow) => flow.channel_flow_arn,
    })
    return { ChannelFlows: page.map(channelFlowSummary), NextToken }
  },
})
