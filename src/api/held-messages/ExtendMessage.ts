import Type from 'typebox'
import { badRequest, conflict } from '../../contract/api-error.ts'
import { extendDeadline, extensionMsMax, heldMsMax } from '../../store/extensions.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { heldMessageMembers, requireHeld } from './held-message.ts'

/** How many seconds later the deadline is. */
const Seconds = Type.Integer({ minimum: 1, maximum: extensionMsMax / 1_000 })

/**
 * Moves the deadline of the step at which a held message is to a later time, for a processor that is being repaired. A
 * deadline is never moved to an earlier time.
 */
export const ExtendMessage = operation({
  name: 'ExtendMessage',
  service: 'carillon',
  http: 'POST /carillon/v1/messages/{MessageId}?operation=extend 204',
  input: { ...heldMessageMembers, Seconds },
  output: {},
  errors: ['BadRequest', 'Conflict', 'NotFound'],
  resources: ['ChannelArn'],
  audited: ['MessageId', 'Seconds'],
  allow: byCredentialsAlone,
  async handle({ Seconds, ...reference }, context) {
    const { step, run } = await requireHeld(reference, context)
    const latestAt = run.created_at + heldMsMax
    const extension = { at: context.now(), byMs: Seconds * 1_000, keyId: context.credentials.accessKeyId, latestAt }
    await context.store.transaction(async (transaction) => {
      const result = await extendDeadline(transaction, step, extension)
      if (result === 'too late') {
        throw badRequest(
          `A message can be held until 90 days after it was accepted: ${new Date(latestAt).toISOString()}`,
        )
      }
      if (result === 'over') throw conflict('The message was decided in the meantime, or its deadline has passed')
      return { ChannelArn: step.channel_arn }
    }, 'read committed')
    return {}
  },
})
