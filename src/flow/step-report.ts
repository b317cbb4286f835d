import { appInstanceOf, type Place } from '../contract/arn.ts'
import type { Log } from '../runtime/log.ts'
import type { StepRow, Turn } from '../store/tables.ts'
import { processorsOf } from './decision.ts'
import type { FlowEvent } from './transition.ts'

/** The first is AWS's name, the others are ours. */
const failures: { [type in FlowEvent['type']]?: string } = {
  Unreached: 'ProcessorInvocationFailure',
  Crashed: 'ProcessorCrashed',
}

/** What the log says of steps whose processor fails. Never a text, and never a CallbackId. */
export class StepReport {
  readonly #log: Log
  readonly #place: Place

  constructor({ log, place }: { log: Log; place: Place }) {
    this.#log = log
    this.#place = place
  }

  /** As AWS tells EventBridge of it, whatever the FallbackAction ("Chime ChannelFlow Processing Status"). */
  failure(turn: Turn, after: StepRow, event: FlowEvent): void {
    const failed = failures[event.type]
    if (!failed && after.state !== 'EXPIRED') return
    const { step, run } = turn
    const processor = processorsOf(run)[step.position]
    const detail = {
      eventType: failed ?? 'ProcessorDeadlinePassed',
      account: this.#place.account,
      appInstanceArn: appInstanceOf(step.channel_arn),
      channelArn: step.channel_arn,
      messageId: step.message_id,
      processor: processor?.name,
      processorResourceArn: step.function_arn,
      failureReason: 'reason' in event ? event.reason : 'no verdict before the deadline',
      fallbackAction: processor?.fallbackAction,
      stepState: after.state,
      attempts: after.attempts,
      ...(after.state === 'DISPATCHING' &&
        after.due_at < after.deadline_at && { nextAttempt: new Date(after.due_at).toISOString() }),
    }
    this.#log.warn(detail, 'Chime ChannelFlow Processing Status')
  }

  /** The step waits for its verdict and nothing else will happen: without a word the message would just stay PENDING. */
  waiting(turn: Turn, after: StepRow, event: FlowEvent): void {
    if (after.state !== 'AWAITING' || after.owner !== '') return
    const { step, run } = turn
    const fields = {
      channelArn: step.channel_arn,
      messageId: step.message_id,
      processor: processorsOf(run)[step.position]?.name,
      waitsUntil: new Date(after.deadline_at).toISOString(),
    }
    if (event.type === 'Completed') {
      this.#log.warn(fields, 'the processor ended without ChannelFlowCallback; the message waits for it')
    } else {
      const { attempts } = after
      this.#log.warn(
        { ...fields, attempts },
        'processor given up; the message waits for ChannelFlowCallback until its deadline',
      )
    }
  }
}
