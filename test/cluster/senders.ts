import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { isPassing } from './clients.ts'
import { chooseKind, kindNamed } from './fault-kinds.ts'
import type { History, Send } from './history.ts'
import type { Stage } from './stage.ts'

const sendPauseMs = 60
/** How many of the sends go to a club. */
const clubShare = 0.15
const retryPauseMs = 100

/** Those who send, one message after the other, through everything. */
export class Senders {
  readonly #stage: Stage
  readonly #history: History
  readonly #random: () => number
  readonly #work: Promise<void>[] = []
  #sending = true
  #numbers = 0
  /** Answers that no fault excuses. */
  readonly refusals: string[] = []

  constructor(stage: Stage, history: History, random: () => number) {
    this.#stage = stage
    this.#history = history
    this.#random = random
  }

  start(count: number): void {
    const { senderArns } = this.#stage
    for (let n = 0; n < count; n++) this.#work.push(this.#sendOn(senderArns[n % senderArns.length] as string))
  }

  /** What was begun is said until it is answered, or until the time is over. */
  async finish(msMax: number): Promise<void> {
    this.#sending = false
    await Promise.race([Promise.all(this.#work), setTimeout(msMax, undefined, { ref: false })])
  }

  async #sendOn(senderArn: string): Promise<void> {
    while (this.#sending) {
      const send = this.#next(senderArn)
      this.#history.sends.push(send)
      await this.#sayUntilAnswered(send)
      await setTimeout(sendPauseMs)
    }
  }

  #next(senderArn: string): Send {
    const { clubs, channelArns } = this.#stage
    const club = this.#random() < clubShare ? clubs[Math.floor(this.#random() * clubs.length)] : undefined
    const kind = club ? kindNamed('free') : chooseKind(this.#random())
    const n = this.#numbers++
    return {
      token: randomUUID(),
      channelArn: club?.channelArn ?? (channelArns.get(kind.name) as string),
      senderArn,
      persistence: kind.persistence,
      held: kind.flow !== undefined,
      text: kind.sent(n),
      outcome: kind.status,
      released: kind.released?.(n),
      messageIds: [],
    }
  }

  async #sayUntilAnswered(send: Send): Promise<void> {
    while (send.messageIds.length === 0) {
      try {
        await this.#say(send)
      } catch (error) {
        if (!isPassing(error)) {
          if (this.#isNoMember(send, error as Error)) return
          this.refusals.push(`sending ${JSON.stringify(send.text)} was answered ${error}`)
          return
        }
        await setTimeout(retryPauseMs)
      }
    }
    // Now and then a client does not trust its ears, and says it once more.
    if (this.#random() < 0.02) await this.#say(send).catch(() => {})
  }

  /** A guest who has left, or anybody while the club is deleted. */
  #isNoMember({ channelArn }: Send, { name }: Error): boolean {
    return name === 'ForbiddenException' && this.#stage.clubs.some((club) => club.channelArn === channelArn)
  }

  async #say({ channelArn, senderArn, text, persistence, token, messageIds }: Send): Promise<void> {
    const { MessageId } = await this.#stage.messaging.sendChannelMessage({
      ChannelArn: channelArn,
      ChimeBearer: senderArn,
      Content: text,
      Type: 'STANDARD',
      Persistence: persistence,
      ClientRequestToken: token,
    })
    messageIds.push(MessageId as string)
  }
}
