import { optional } from '../../contract/binding.ts'
import { Metadata, NonEmptyContent } from '../../contract/shapes.ts'
import { byCredentialsAlone } from '../access.ts'
import { changesOf, requireTextSize } from '../channel-messages/channel-message.ts'
import { operation } from '../context.ts'
import { decideHeld, heldMessageMembers, operatorOf, requireHeld } from './held-message.ts'

/** A person approves a held message in place of the processor that has it, with another text or as it is. */
export const CompleteMessage = operation({
  name: 'CompleteMessage',
  service: 'carillon',
  http: 'POST /carillon/v1/messages/{MessageId}?operation=complete 204',
  input: { ...heldMessageMembers, Content: optional(NonEmptyContent), Metadata: optional(Metadata) },
  output: {},
  errors: ['BadRequest', 'Conflict', 'NotFound'],
  resources: ['ChannelArn'],
  audited: ['MessageId'],
  allow: byCredentialsAlone,
  async handle({ Content, Metadata, ...reference }, context) {
    const text = { ...(Content !== undefined && { Content }), ...(Metadata !== undefined && { Metadata }) }
    requireTextSize(text, 'STANDARD')
    const job = await requireHeld(reference, context)
    const verdict = { type: 'Verdict', deny: false, text: changesOf(text), decision: operatorOf(context) } as const
    await decideHeld(job, verdict, context)
    return {}
  },
})
