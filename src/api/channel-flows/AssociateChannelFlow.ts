import { badRequest, conflict, forbidden, notFound } from '../../contract/api-error.ts'
import { bearer, path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { mayModerateChannel } from '../access.ts'
import { readFlowPolicy } from '../app-instances/flow-policy.ts'
import { operation } from '../context.ts'
import { findChannelFlow } from './channel-flow.ts'

/** The same flow again is a success: scripts that attach a flow to every channel rely on it. */
export const AssociateChannelFlow = operation({
  name: 'AssociateChannelFlow',
  http: 'PUT /channels/{ChannelArn}/channel-flow 200',
  input: { ChannelArn: path(ChimeArn), ChannelFlowArn: ChimeArn, ChimeBearer: bearer() },
  output: {},
  errors: ['BadRequest', 'Conflict', 'Forbidden', 'NotFound'],
  resources: ['ChimeBearer', 'ChannelArn', 'ChannelFlowArn'],
  audited: [],
  allow: mayModerateChannel,
  async handle({ ChannelFlowArn }, { store, now }, { channel }) {
    return store.transaction(async (transaction) => {
      const required = (await readFlowPolicy(transaction, channel.app_instance_arn))?.required_flow_arn ?? null
      if (required !== null && required !== ChannelFlowArn) throw forbidden()
      const flow = await findChannelFlow(transaction, ChannelFlowArn)
      if (!flow) throw notFound('The channel flow does not exist')
      if (flow.app_instance_arn !== channel.app_instance_arn) {
        throw badRequest('The channel flow belongs to another AppInstance than the channel')
      }
      const changed = await transaction.run(
        `UPDATE channel SET channel_flow_arn = $2, updated_at = $3
         WHERE channel_id = $1 AND coalesce(channel_flow_arn, $2) = $2`,
        channel.channel_id,
        ChannelFlowArn,
        now(),
      )
      if (changed === 0) throw conflict('Another channel flow is associated with the channel: disassociate it first')
      return {}
    })
  },
})
