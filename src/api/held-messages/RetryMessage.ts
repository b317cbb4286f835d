import { conflict } from '../../contract/api-error.ts'
import { free } from '../../store/steps.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { heldMessageMembers, requireHeld } from './held-message.ts'

/**
 * Hands a held message to its processor again, with the same CallbackId and all of its attempts: for messages whose
 * processor failed, and has been repaired. One that waits for a place, or is at its processor now, needs no retry.
 */
export const RetryMessage = operation({
  name: 'RetryMessage',
  service: 'carillon',
  http: 'POST /carillon/v1/messages/{MessageId}?operation=again 204',
  input: heldMessageMembers,
  output: {},
  errors: ['BadRequest', 'Conflict', 'NotFound'],
  resources: ['ChannelArn'],
  allow: byCredentialsAlone,
  async handle(input, context) {
    const { step } = await requireHeld(input, context)
    if (step.owner !== free)
      throw conflict('The message waits for a place at its processor, or the processor has it now')
    const now = context.now()
    const again = { ...step, state: 'DISPATCHING' as const, tries: 0, attempts: 0, due_at: now }
    const outcome = await context.store.commit({ kind: 'RecordHandOff', step: again, expectedOwner: free })
    if (outcome.result !== 'recorded') throw conflict('The message was decided in the meantime')
    context.wakeEngine()
    return {}
  },
})
