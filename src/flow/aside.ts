import type { ProcessorEvent } from '../processor/processor-event.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { readOwnJob } from '../store/steps.ts'
import type { Store } from '../store/store.ts'
import type { Job, StepRow } from '../store/tables.ts'
import type { OwnNode } from './decision.ts'
import { processorEvent } from './event-for-processor.ts'
import { levelOf } from './log-level.ts'
import { Retries } from './retries.ts'

/** The delay before the rows of a step that was set aside are read again. */
const asideMs = 30_000

interface AsideParts {
  store: Store
  node: OwnNode
  clock: Clock
  log: Log
  /** Called when the event of the step can be built. */
  readable(job: Job): void
}

/** Steps whose event cannot be built. Their rows are read again at a regular interval, until the deadline. */
export class Aside {
  readonly #parts: AsideParts
  readonly #steps: Retries

  constructor(parts: AsideParts) {
    this.#parts = parts
    this.#steps = new Retries(parts.clock)
  }

  has(callbackId: string): boolean {
    return this.#steps.has(callbackId)
  }

  /** If there are too many, the step is forgotten until its deadline or the next walk over this node's rows. */
  add(step: StepRow): void {
    this.#steps.add(step.callback_id, { pauseMs: asideMs, attempt: () => this.#readAgain(step) })
  }

  delete(callbackId: string): void {
    this.#steps.cancel(callbackId)
  }

  close(): void {
    this.#steps.close()
  }

  /** The event for the step's processor; undefined if it cannot be built of the rows. */
  eventOf(job: Job): ProcessorEvent | undefined {
    try {
      return processorEvent(job)
    } catch (error) {
      const { message_id: messageId, channel_arn: channelArn } = job.step
      // The error's own message may quote the text.
      const reason = error instanceof Error ? error.name : typeof error
      this.#parts.log.error(
        { channelArn, messageId, reason },
        'building the event of a message failed; trying again later',
      )
      return undefined
    }
  }

  /** Resolves to whether no further retry is needed. */
  async #readAgain({ channel_id: channelId, callback_id: callbackId }: StepRow): Promise<boolean> {
    const { store, node, log, readable } = this.#parts
    try {
      const job = await readOwnJob(store.read, node.id, channelId, callbackId)
      if (job && !this.eventOf(job)) return false
      this.delete(callbackId)
      if (job) readable(job)
      return true
    } catch (err) {
      log[levelOf(err, 'warn')]({ err }, 'reading a step that was set aside failed; trying again')
      return false
    }
  }
}
