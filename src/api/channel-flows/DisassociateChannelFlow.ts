import { forbidden, notFound } from '../../contract/api-error.ts'
import { bearer, path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { mayModerateChannel } from '../access.ts'
import { readFlowPolicy } from '../app-instances/flow-policy.ts'
import { operation } from '../context.ts'

/** Only for this channel: the path names one channel, although AWS's first sentence says otherwise. */
export const DisassociateChannelFlow = operation({
  name: 'DisassociateChannelFlow',
  http: 'DELETE /channels/{ChannelArn}/channel-flow/{ChannelFlowArn} 204',
  input: { ChannelArn: path(ChimeArn), ChannelFlowArn: path(ChimeArn), ChimeBearer: bearer() },
  output: {},
  errors: ['BadRequest', 'Conflict', 'Forbidden', 'NotFound'],
  resources: ['ChimeBearer', 'ChannelArn', 'ChannelFlowArn'],
  audited: [],
  allow: mayModerateChannel,
  async handle({ ChannelFlowArn }, { store, now }, { channel }) {
    return store.transaction(async (transaction) => {
      // Only the tag of the AppInstance ends the requirement.
      const policy = await readFlowPolicy(transaction, channel.app_instance_arn)
      if (policy?.required_flow_arn) throw forbidden()
      const changed = await transaction.run(
        'UPDATE channel SET channel_flow_arn = NULL, updated_at = $3 WHERE channel_id = $1 AND channel_flow_arn = $2',
        channel.channel_id,
        ChannelFlowArn,
        now(),
      )
      if (changed === 0) throw notFound('The channel flow is not associated with the channel')
      return {}
    })
  },
})
