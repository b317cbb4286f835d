import { optional } from '../../contract/binding.ts'
import { byCredentialsAlone } from '../access.ts'
import { ReasonCode, ReasonText } from '../channel-flows/denial-reason.ts'
import { operation } from '../context.ts'
import { decideHeld, heldMessageMembers, operatorOf, requireHeld } from './held-message.ts'

/** A person denies a held message. The sender reads the reason in Status.Detail. */
export const DenyMessage = operation({
  name: 'DenyMessage',
  service: 'carillon',
  http: 'POST /carillon/v1/messages/{MessageId}?operation=deny 204',
  input: { ...heldMessageMembers, ReasonCode, ReasonText: optional(ReasonText) },
  output: {},
  errors: ['BadRequest', 'Conflict', 'NotFound'],
  resources: ['ChannelArn'],
  audited: ['MessageId', 'ReasonCode'],
  allow: byCredentialsAlone,
  async handle({ ReasonCode: code, ReasonText: text = '', ...reference }, context) {
    const job = await requireHeld(reference, context)
    const decision = { ...operatorOf(context), reason: { code, text } }
    await decideHeld(job, { type: 'Verdict', deny: true, text: {}, decision }, context)
    return {}
  },
})
