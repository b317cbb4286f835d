import Type from 'typebox'
import { optional, query } from '../../contract/binding.ts'
import { ChimeArn, MaxResults, NextToken } from '../../contract/shapes.ts'
import { ChannelFlowSummary } from '../../contract/structures.ts'
import { byCredentialsAlone } from '../access.ts'
import { findAppInstance } from '../app-instances/app-instance.ts'
import { operation } from '../context.ts'
import { pageDefault, pageOf, readNextToken, writeNextToken } from '../paging.ts'
import { type ChannelFlowRow, channelFlowSummary } from './channel-flow.ts'

/** In the order of their ARNs, which nobody documents and which never changes. */
export const ListChannelFlows = operation({
  name: 'ListChannelFlows',
  http: 'GET /channel-flows 200',
  input: {
    AppInstanceArn: query('app-instance-arn', ChimeArn),
    MaxResults: query('max-results', optional(MaxResults)),
    NextToken: query('next-token', optional(NextToken)),
  },
  output: { ChannelFlows: optional(Type.Array(ChannelFlowSummary)), NextToken: optional(NextToken) },
  errors: ['BadRequest', 'Forbidden'],
  allow: byCredentialsAlone,
  async handle(input, context) {
    const { AppInstanceArn, MaxResults: size = pageDefault } = input
    await findAppInstance(context.read, AppInstanceArn)
    const list = ['ListChannelFlows', AppInstanceArn]
    const rows = await context.read.all<ChannelFlowRow>(
      `SELECT * FROM channel_flow WHERE app_instance_arn = $1 AND channel_flow_arn > $2
       ORDER BY channel_flow_arn LIMIT $3`,
      AppInstanceArn,
      readNextToken<string>(context, list, input.NextToken) ?? '',
      size + 1,
    )
    const { page, last } = pageOf(rows, size)
    return {
      ChannelFlows: page.map(channelFlowSummary),
      NextToken: last && writeNextToken(context, list, last.channel_flow_arn),
    }
  },
})
