import type { ProcessorEvent } from '../processor/processor-event.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { readOwnTurn } from '../store/steps.ts'
import type { Store } from '../store/store.ts'
import type { StepRow, Turn } from '../store/tables.ts'
import type { OwnNode } from './decision.ts'
import { processorEvent } from './event-for-processor.ts'
import { levelOf } from './log-level.ts'
import { Retries } from './retries.ts'

/** How long a step is set aside before its rows are read again. */
const asideMs = 30_000

interface AsideParts {
  store: Store
  node: OwnNode
  clock: Clock
  log: Log
  /** An event can be made of the step now. */
  readable(turn: Turn): void
}

/** Steps of which no event can be made. Their rows are read again now and then, until the deadline. */
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

  /** One too many is forgotten, until its deadline or the next walk over this node's rows. */
  add(step: StepRow): void {
    this.#steps.add(step.callback_id, { pauseMs: asideMs, attempt: () => this.#readAgain(step) })
  }

  delete(callbackId: string): void {
    this.#steps.cancel(callbackId)
  }

  close(): void {
    this.#steps.close()
  }

  /** The event for the step's processor; undefined for rows of which none can be made. */
  eventOf(turn: Turn): ProcessorEvent | undefined {
    try {
      return processorEvent(turn)
    } catch (error) {
      const { message_id: messageId, channel_arn: channelArn } = turn.step
      // The message of the error may quote the text.
      const reason = error instanceof Error ? error.name : typeof error
      this.#parts.log.error(
        { channelArn, messageId, reason },
        'building the event of a message failed; trying again later',
      )
      return undefined
    }
  }

  /** Returns whether the step need not be read once more. */
  async #readAgain({ channel_id: channelId, callback_id: callbackId }: StepRow): Promise<boolean> {
    const { store, node, log, readable } = this.#parts
    try {
      const turn = await readOwnTurn(store.read, node.id, channelId, callbackId)
      if (turn && !this.eventOf(turn)) return false
      this.delete(callbackId)
      if (turn) readable(turn)
      return true
    } catch (err) {
      log[levelOf(err, 'warn')]({ err }, 'reading a step that was set aside failed; trying again')
      return false
    }
  }
}
