import { processorsOf } from '../../flow/decision.ts'
import { isOpen } from '../../flow/transition.ts'
import { findStepRows, type StepRows } from '../../store/step-rows.ts'
import type { Context } from '../context.ts'

/** The input of a caller, before its validation. */
interface Sent {
  ChannelArn?: unknown
  CallbackId?: unknown
  ChannelMessage?: unknown
}

const textMembers = ['Content', 'Metadata', 'ContentType', 'MessageAttributes', 'PushNotification']

/**
 * Logs a rejected callback while its message waits for the verdict: most processors ignore the response, and the message
 * would stay PENDING until its deadline without a reason. `problem` has no text of the caller. A callback whose CallbackId
 * belongs to no open step is not logged: any caller could fill the log with them.
 */
export async function reportRejected(sent: Sent, problem: string, context: Context): Promise<void> {
  const { log, requestId, rejectedCallbacks } = context
  const rows = await rowsOf(sent, context).catch(() => undefined)
  const facts = { requestId, problem, bytes: sizesOf(sent.ChannelMessage) }
  if (rows && isOpen(rows.step)) {
    rejectedCallbacks.add(rows.step)
    log.warn({ ...factsOf(rows), ...facts }, 'ChannelFlowCallback rejected; the message waits for another')
  } else {
    log.debug(facts, 'ChannelFlowCallback rejected')
  }
}

async function rowsOf({ ChannelArn, CallbackId }: Sent, { read }: Context): Promise<StepRows | undefined> {
  if (typeof ChannelArn !== 'string' || typeof CallbackId !== 'string') return undefined
  return findStepRows(read, ChannelArn, CallbackId)
}

const factsOf = ({ step, run }: StepRows) => ({
  channelArn: step.channel_arn,
  messageId: step.message_id,
  processor: processorsOf(run)[step.position]?.name,
  waitsUntil: new Date(step.deadline_at).toISOString(),
})

/** The size of each member of the text in bytes; of its JSON if the member is not a string. */
function sizesOf(message: unknown): Record<string, number> {
  if (typeof message !== 'object' || message === null) return {}
  const given = Object.entries(message).filter(([member]) => textMembers.includes(member))
  const sizes = given.map(([member, value]) => [
    member,
    Buffer.byteLength(typeof value === 'string' ? value : JSON.stringify(value)),
  ])
  return Object.fromEntries(sizes)
}
