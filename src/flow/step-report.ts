import { type AwsLocation, appInstanceOf } from '../contract/arn.ts'
import type { Log } from '../runtime/log.ts'
import type { Shortages } from '../runtime/shortage.ts'
import type { Job, StepRow } from '../store/tables.ts'
import { processorsOf } from './decision.ts'
import type { Deferred } from './outcome.ts'
import type { FlowEvent } from './transition.ts'

/** The first is AWS's name, the others are ours. */
const failures: { [type in FlowEvent['type']]?: string } = {
  Unreached: 'ProcessorInvocationFailure',
  Crashed: 'ProcessorCrashed',
}

/** Logs steps whose processor fails. The lines contain no text of a message and no CallbackId. */
export class StepReport {
  readonly #log: Log
  readonly #location: AwsLocation
  readonly #shortages: Shortages

  constructor({ log, location, shortages }: { log: Log; location: AwsLocation; shortages: Shortages }) {
    this.#log = log
    this.#location = location
    this.#shortages = shortages
  }

  deferred(processor: string, { cause, reason }: Deferred): void {
    this.#log.debug({ processor, cause, reason }, 'hand-off deferred; trying again')
    if (cause !== 'throttled' && cause !== 'closing') this.#shortages.report(cause, reason)
  }

  /** AWS's event for EventBridge ("Chime ChannelFlow Processing Status"). It does not depend on the FallbackAction. */
  failure(job: Job, after: StepRow, event: FlowEvent): void {
    const failed = failures[event.type]
    if (!failed && after.state !== 'EXPIRED') return
    const { step, run } = job
    const processor = processorsOf(run)[step.position]
    const detail = {
      eventType: failed ?? 'ProcessorDeadlinePassed',
      account: this.#location.account,
      appInstanceArn: appInstanceOf(step.channel_arn),
      channelArn: step.channel_arn,
      messageId: step.message_id,
      processor: processor?.name,
      processorResourceArn: step.function_arn,
      failureReason: 'reason' in event ? event.reason : 'no verdict before the deadline',
      fallbackAction: processor?.fallbackAction,
      ...(after.state === 'EXPIRED' && processor?.policy?.onDeadline && { onDeadline: processor.policy.onDeadline }),
      stepState: after.state,
      attempts: after.attempts,
      ...(after.state === 'DISPATCHING' &&
        after.due_at < after.deadline_at && { nextAttempt: new Date(after.due_at).toISOString() }),
    }
    this.#log.warn(detail, 'Chime ChannelFlow Processing Status')
  }

  /** The step now only waits for its verdict: without this line the message would stay PENDING without a reason. */
  waiting(job: Job, after: StepRow, event: FlowEvent): void {
    if (after.state !== 'AWAITING' || after.owner !== '') return
    const { step, run } = job
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
