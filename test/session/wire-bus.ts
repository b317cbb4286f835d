import type { Bus, Envelope, Listener, Subscription } from '../../src/bus/bus.ts'
import { type BusMessage, decodeMessage, encodeMessage } from '../../src/bus/nats-wire.ts'
import { subjectSubscription } from './subject-subscription.ts'

/**
 * The bus of a node that publishes nothing itself, as NATS brings it the messages of another one: encoded, of the channels and
 * users of interest alone, a turn of the event loop later. It can be away, and loses what is published meanwhile.
 */
export class WireBus implements Bus {
  readonly #subjects = new Set<string>()
  #listener: Listener | undefined
  #isAway = false

  get connected(): boolean {
    return !this.#isAway
  }

  publish(envelopes: readonly Envelope[]): void {
    for (const envelope of envelopes) {
      const { channelId, channelArn, seq, joins = [] } = envelope
      this.#send(`channel ${channelId}`, { kind: 'event', envelope })
      if (seq === undefined) continue
      for (const userArn of joins)
        this.#send(`user ${userArn}`, { kind: 'joined', userArn, channelId, channelArn, seq })
    }
  }

  announceChange(userArn: string): void {
    this.#send(`user ${userArn}`, { kind: 'changed', userArn })
  }

  announceCatchUp(): void {
    this.#listener?.catchUp()
  }

  goAway(): void {
    this.#isAway = true
  }

  comeBack(): void {
    this.#isAway = false
    this.#listener?.catchUp()
  }

  listen(listener: Listener): Subscription {
    this.#listener = listener
    const add = (subject: string) => this.#add(subject)
    return subjectSubscription(this.#subjects, add, () => {
      this.#listener = undefined
    })
  }

  async close(): Promise<void> {}

  async #add(subject: string): Promise<void> {
    await new Promise(setImmediate)
    this.#subjects.add(subject)
  }

  #send(subject: string, message: BusMessage): void {
    if (this.#isAway || !this.#subjects.has(subject)) return
    const text = encodeMessage(message)
    setImmediate(() => this.#bring(decodeMessage(text)))
  }

  #bring(message: BusMessage | undefined): void {
    const listener = this.#listener
    if (message?.kind === 'event') listener?.deliver([message.envelope])
    else if (message?.kind === 'joined') listener?.joined(message.userArn, message, message.seq)
    else if (message?.kind === 'changed') listener?.changed(message.userArn)
  }
}
