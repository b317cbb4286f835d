import assert from 'node:assert/strict'
import { conflict, notFound } from '../../contract/api-error.ts'
import { optional, path } from '../../contract/binding.ts'
import { ChimeArn, MessageId } from '../../contract/shapes.ts'
import { changeOf, runOf } from '../../flow/decision.ts'
import { type Decision, type FlowEvent, transition } from '../../flow/transition.ts'
import { findStepRows } from '../../store/step-rows.ts'
import type { Job } from '../../store/tables.ts'
import { findChannelId } from '../channels/channel.ts'
import type { Context } from '../context.ts'
import { scopeOf } from '../keys/key-summary.ts'

/** The members that name a held message: its id names its channel, unless another server made it. */
export const heldMessageMembers = { MessageId: path(MessageId), ChannelArn: optional(ChimeArn) }

interface Reference {
  MessageId: string
  ChannelArn?: string
}

/** The message, or the update of it, that a flow holds. Throws a NotFound if there is none that the key may see. */
export async function requireHeld({ MessageId, ChannelArn }: Reference, context: Context): Promise<Job> {
  const { read, messageIds } = context
  const channelId = ChannelArn === undefined ? messageIds.channelIdOf(MessageId) : await findChannelId(read, ChannelArn)
  if (channelId === undefined) throw noHeldMessage()
  const run = await read.get<{ channel_arn: string; callback_id: string; app_instance_arn: string }>(
    `SELECT run.channel_arn, run.callback_id, channel.app_instance_arn FROM run_view AS run
     JOIN channel_view AS channel ON channel.channel_id = run.channel_id
     WHERE run.channel_id = $1 AND run.message_id = $2 AND run.state = 'RUNNING'`,
    channelId,
    MessageId,
  )
  const scope = scopeOf(context.credentials)
  if (!run || (scope !== undefined && scope !== run.app_instance_arn)) throw noHeldMessage()
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
  const now = context.now()
  const result = transition(runOf(job), event, { ...context, now })
  if ('rejection' in result) throw decidedMeanwhile()
  const change = changeOf(job, result, context.node, now)
  assert(change?.kind === 'DecideStep', 'a decision ends its step')
  await context.store.transaction(async (transaction) => {
    const [outcome] = await transaction.decide([{ ...change, expectedOwner: undefined }])
    if (outcome?.result !== 'decided') throw decidedMeanwhile()
    // For the audit log: a MessageId alone does not say in which AppInstance the act was.
    return { ChannelArn: job.step.channel_arn }
  }, 'read committed')
}

const decidedMeanwhile = () => conflict('The message was decided in the meantime, or its deadline has passed')
