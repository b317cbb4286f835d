import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { isPassing } from './clients.ts'
import type { Stage } from './stage.ts'

interface Waiting {
  ChannelArn: string
  MessageId: string
  CallbackId: string
  text: string
}

const lookEveryMs = 500
const answeredBefore = ['BadRequestException', 'ForbiddenException', 'ConflictException']

/** Whoever decides by hand, a while after it was asked to, and on whichever node the balancer chooses. */
export class ByHand {
  readonly #stage: Stage
  readonly #file: string
  readonly #decided = new Set<string>()

  constructor(stage: Stage, file: string) {
    this.#stage = stage
    this.#file = file
  }

  async decideOn(until: AbortSignal): Promise<void> {
    while (!until.aborted) {
      // What has just come waits one round.
      const waiting = this.#waiting()
      await setTimeout(lookEveryMs)
      for (const one of waiting) await this.#decide(one)
    }
  }

  #waiting(): Waiting[] {
    const lines = readFileSync(this.#file, 'utf8').split('\n').slice(0, -1)
    return lines.map((line) => JSON.parse(line) as Waiting).filter(({ CallbackId }) => !this.#decided.has(CallbackId))
  }

  /** Left for the next round if it could not be said. */
  async #decide({ ChannelArn, MessageId, CallbackId, text }: Waiting): Promise<void> {
    const Content = `${text.replace('RAW', 'OK')} byhand`
    try {
      await this.#stage.messaging.channelFlowCallback({
        ChannelArn,
        CallbackId,
        ChannelMessage: { MessageId, Content },
      })
      this.#decided.add(CallbackId)
    } catch (error) {
      if (answeredBefore.includes((error as Error).name)) this.#decided.add(CallbackId)
      else if (!isPassing(error)) throw error
    }
  }
}
