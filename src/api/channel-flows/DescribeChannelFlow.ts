import { optional, path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { ChannelFlow } from '../../contract/structures/channel-flows.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { channelFlowToWire, requireChannelFlow } from './channel-flow.ts'

export const DescribeChannelFlow = operation({
  name: 'DescribeChannelFlow',
  http: 'GET /channel-flows/{ChannelFlowArn} 200',
  input: { ChannelFlowArn: path(ChimeArn) },
  output: { ChannelFlow: optional(ChannelFlow) },
  errors: ['BadRequest', 'Forbidden'],
  resources: ['ChannelFlowArn'],
  allow: byCredentialsAlone,
  async handle({ ChannelFlowArn }, { read }) {
    return { ChannelFlow: channelFlowToWire(await requireChannelFlow(read, ChannelFlowArn)) }
  },
})
