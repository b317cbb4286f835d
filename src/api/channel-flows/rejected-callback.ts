import { processorsOf } from '../../flow/decision.ts'
import { isOpen } from '../../flow/transition.ts'
import { findStepRows, type StepRows } from '../../store/step-rows.ts'
import type { Context } from '../context.ts'

/** What a caller sent, before anything of it is known to be valid. */
interface Sent {
  ChannelArn?: unknown
  CallbackId?: unknown
  ChannelMessage?: unknown
}

const textMembers = ['Content', 'Metadata', 'ContentType', 'MessageAttributes', 'PushNotification']

/**
 * Warns of a callback that is rejected while its message waits for it: most processors do not look at the answer, and the
 * message would stay PENDING in silence until its deadline. `problem` holds nothing that the caller wrote. A callback whose
 * CallbackId belongs to no open step concerns no message: any caller could fill the log with those.
 */
export async function reportRejected(sent: Sent, problem: string, context: Context): Promise<void> {
  const { log, requestId } = context
  const rows = await rowsOf(sent, context).catch(() => undefined)
  const facts = { requestId, problem, bytes: sizesOf(sent.ChannelMessage) }
  if (rows && isOpen(rows.step)) {
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

/** How many bytes each member of the text has that is there; of its JSON, where it is no text. */
function sizesOf(message: unknown): Record<string, number> {
  if (typeof message !== 'object' || message === null) return {}
  const given = Object.entries(message).filter(([member]) => textMembers.includes(member))
  const sizes = given.map(([member, value]) => [
    member,
    Buffer.byteLength(typeof value === 'string' ? value : JSON.stringify(value)),
  ])
  return Object.fromEntries(sizes)
}
