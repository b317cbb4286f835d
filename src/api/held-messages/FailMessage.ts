import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { decideHeld, heldMessageMembers, requireHeld } from './held-message.ts'

/** A person ends a held message without a verdict: it fails, as if its processor had not answered in time. */
export const FailMessage = operation({
  name: 'FailMessage',
  service: 'carillon',
  http: 'POST /carillon/v1/messages/{MessageId}?operation=fail 204',
  input: heldMessageMembers,
  output: {},
  errors: ['BadRequest', 'Conflict', 'NotFound'],
  resources: ['ChannelArn'],
  audited: ['MessageId'],
  allow: byCredentialsAlone,
  async handle(input, context) {
    const job = await requireHeld(input, context)
    const keyId = context.credentials.accessKeyId
    await decideHeld(job, { type: 'Stopped', by: 'operator', keyId, reason: 'Ended by an operator' }, context)
    return {}
  },
})
