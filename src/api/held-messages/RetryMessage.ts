import Type from 'typebox'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { handAgain } from './hand-again.ts'
import { heldMessageMembers, requireHeld } from './held-message.ts'

/**
 * Hands a held message to its processor again, with the same CallbackId and all of its attempts: for messages whose
 * processor failed, and has been repaired. One that waits for a place is handed over without that. A message that has
 * failed is not held any more.
 */
export const RetryMessage = operation({
  name: 'RetryMessage',
  service: 'carillon',
  http: 'POST /carillon/v1/messages/{MessageId}?operation=again 200',
  input: heldMessageMembers,
  output: { Result: Type.Enum(['HANDED_AGAIN', 'NOT_NEEDED']) },
  errors: ['BadRequest', 'Conflict', 'NotFound'],
  resources: ['ChannelArn'],
  audited: ['MessageId'],
  allow: byCredentialsAlone,
  async handle(input, context) {
    const isHanded = await handAgain(await requireHeld(input, context), context)
    return { Result: isHanded ? ('HANDED_AGAIN' as const) : ('NOT_NEEDED' as const) }
  },
})
