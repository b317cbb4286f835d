import { conflict } from '../../contract/api-error.ts'
import { free, stepIsOpen } from '../../store/steps.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { heldMessageMembers, requireHeld } from './held-message.ts'

const startAgain = `UPDATE flow_step SET state = 'DISPATCHING', tries = 0, attempts = 0, due_at = $3
  WHERE channel_id = $1 AND callback_id = $2 AND owner = '${free}' AND ${stepIsOpen}
    AND EXISTS (SELECT 1 FROM channel_head WHERE channel_id = $1 AND deleted_at IS NULL)`

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
      const changed = await transaction.run(startAgain, step.channel_id, step.callback_id, now)
      if (changed === 0) throw conflict('The message was decided in the meantime, or its processor has it now')
      return { ChannelArn: step.channel_arn }
    }, 'read committed')
    context.wakeEngine()
    return {}
  },
})
