import Type from 'typebox'
import { conflict, notFound } from '../../contract/api-error.ts'
import { functionNameOf } from '../../contract/arn.ts'
import { optional, path } from '../../contract/binding.ts'
import { ChimeArn, MessageId } from '../../contract/shapes.ts'
import { endingOf } from '../../flow/decision.ts'
import type { Decision, FlowEvent } from '../../flow/transition.ts'
import { findStepRows } from '../../store/step-rows.ts'
import type { Job, RunRow } from '../../store/tables.ts'
import { findChannelOf, type MessageReference } from '../channel-messages/message-reference.ts'
import type { Context } from '../context.ts'
import { isInScope } from '../keys/key-summary.ts'

/**
 * The members that name a held message: its id names its channel, unless another server made it.
 * FunctionName: the call counts only while the message is at this processor.
 */
export const heldMessageMembers = {
  MessageId: path(MessageId),
  ChannelArn: optional(ChimeArn),
  FunctionName: optional(Type.String({ minLength: 1, maxLength: 140 })),
}

interface HeldReference extends MessageReference {
  FunctionName?: string | undefined
}

/**
 * The message, or the update of it, that a flow holds. Throws a NotFound if there is none that the key may see, which says how
 * a message ended that was held.
 */
export async function requireHeld(reference: HeldReference, context: Context): Promise<Job> {
  const { read, messageIds, credentials } = context
  const channelId = await findChannelOf(read, messageIds, reference)
  if (channelId === undefined) throw noHeldMessage()
  const run = await read.get<LatestRun>(latestRunText, channelId, reference.MessageId)
  if (!run || !isInScope(credentials, run.app_instance_arn)) throw noHeldMessage()
  if (run.state !== 'RUNNING') throw noHeldMessage(`: ${endText[run.state]}`)
  const rows = await findStepRows(read, run.channel_arn, run.callback_id)
  if (!rows?.message) throw noHeldMessage()
  const functionName = functionNameOf(rows.step.function_arn)
  if ((reference.FunctionName ?? functionName) !== functionName) throw decidedMeanwhile()
  return { ...rows, message: rows.message }
}

interface LatestRun extends Pick<RunRow, 'channel_arn' | 'callback_id' | 'state'> {
  app_instance_arn: string
}

const latestRunText = `SELECT run.channel_arn, run.callback_id, run.state, channel.app_instance_arn FROM run_view AS run
  JOIN channel_view AS channel ON channel.channel_id = run.channel_id
  WHERE run.channel_id = $1 AND run.message_id = $2 ORDER BY run.revision DESC LIMIT 1`

const noHeldMessage = (how = '') => notFound(`No flow holds such a message${how}`)

const endText = {
  SENT: 'it was sent',
  DENIED: 'it was denied',
  FAILED: 'it has failed, which is final; its sender can send it again',
}

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

export const decidedMeanwhile = () => conflict('The message was decided in the meantime, or its deadline has passed')
