import { conflict } from '../../contract/api-error.ts'
import { free, stepIsOpen } from '../../store/steps.ts'
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
  audited: ['MessageId'],
  allow: byCredentialsAlone,
  async handle(input, context) {
    const { step } = await requireHeld(input, context)
    if (step.owner !== free)
      throw conflict('The message waits for a place at its processor, or the processor has it now')
    const now = context.now()
    await context.store.transaction(async (transaction) => {
      const changed = await transaction.run(
        `UPDATE flow_step SET state = 'DISPATCHING', tries = 0, attempts = 0, due_at = $1
         WHERE channel_id = $2 AND callback_id = $3 AND owner = '${free}' AND ${stepIsOpen}`,
        now,
        step.channel_id,
        step.callback_id,
      )
      if (changed === 0) throw conflict('The message was decided in the meantime, or its processor has it now')
    })
    context.wakeEngine()
    return {}
  },
})
