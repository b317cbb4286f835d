import { conflict, notFound } from '../../contract/api-error.ts'
import { optional, path } from '../../contract/binding.ts'
import { ChimeArn, MessageId } from '../../contract/shapes.ts'
import { endingOf } from '../../flow/decision.ts'
import type { Decision, FlowEvent } from '../../flow/transition.ts'
import { findStepRows } from '../../store/step-rows.ts'
import type { Job } from '../../store/tables.ts'
import { findChannelOf, type MessageReference } from '../channel-messages/message-reference.ts'
import type { Context } from '../context.ts'
import { isInScope } from '../keys/key-summary.ts'

/** The members that name a held message: its id names its channel, unless another server made it. */
export const heldMessageMembers = { MessageId: path(MessageId), ChannelArn: optional(ChimeArn) }

/** The message, or the update of it, that a flow holds. Throws a NotFound if there is none that the key may see. */
export async function requireHeld(reference: MessageReference, context: Context): Promise<Job> {
  const { read, messageIds, credentials } = context
  const channelId = await findChannelOf(read, messageIds, reference)
  if (channelId === undefined) throw noHeldMessage()
  const run = await read.get<{ channel_arn: string; callback_id: string; app_instance_arn: string }>(
    `SELECT run.channel_arn, run.callback_id, channel.app_instance_arn FROM run_view AS run
     JOIN channel_view AS channel ON channel.channel_id = run.channel_id
     WHERE run.channel_id = $1 AND run.message_id = $2 AND run.state = 'RUNNING'`,
    channelId,
    reference.MessageId,
  )
  if (!run || !isInScope(credentials, run.app_instance_arn)) throw noHeldMessage()
  const rows = await findStepRows(read, run.channel_arn, run.callback_id)
  if (!rows?.message) throw noHeldMessage()
  return { ...rows, message: rows.message }
}

const noHeldMessage = () => notFound('No flow holds such a message')

/** Who decides, for the timeline. */
export const operatorOf = ({ credentials }: Context): Decision => ({
  by: 'operator',
  keyId: credentials.accessKeyId,
})

/** Ends the step at which the message is. Throws a Conflict if a callback or another person was first. */
export async function decideHeld(job: Job, event: FlowEvent, context: Context): Promise<void> {
  const change = endingOf(job, event, context.node, { ...context, now: context.now() })
  if (!change) throw decidedMeanwhile()
  await context.store.transaction(async (transaction) => {
    const [outcome] = await transaction.decide([change])
    if (outcome?.result !== 'decided') throw decidedMeanwhile()
    // For the audit log: a MessageId alone does not say in which AppInstance the act was.
    return { ChannelArn: job.step.channel_arn }
  }, 'read committed')
}

const decidedMeanwhile = () => conflict('The message was decided in the meantime, or its deadline has passed')
