import type { Bus, ChannelRef, Envelope, Listener, Subscription } from '../../src/bus/bus.ts'

/** A listener that keeps what it hears, as lines. */
export class Recorder implements Listener {
  readonly heard: string[] = []
  readonly subscription: Subscription
  #wake: () => void = () => {}

  constructor(bus: Bus) {
    this.subscription = bus.listen(this)
  }

  deliver(envelopes: readonly Envelope[]): void {
    for (const { channelArn, seq, frame } of envelopes) this.#note(`${channelArn} ${seq} ${frame.slice(0, 20)}`)
  }

  joined(userArn: string, { channelArn }: ChannelRef, seq: number): void {
    this.#note(`${userArn} joined ${channelArn} at ${seq}`)
  }

  reached({ channelArn }: ChannelRef, seq: number): void {
    this.#note(`${channelArn} reached ${seq}`)
  }

  changed(userArn: string): void {
    this.#note(`${userArn} changed`)
  }

  catchUp(): void {
    this.#note('catch up')
  }

  /** What was heard by the time of this line. The test's timeout is the limit. */
  async until(line: string): Promise<string[]> {
    while (!this.heard.includes(line)) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      await promise
    }
    return this.heard.splice(0, this.heard.indexOf(line) + 1)
  }

  #note(line: string): void {
    this.heard.push(line)
    this.#wake()
  }
}

/** Channels of these tests have one letter. */
export const numberOf = (channelArn: string): number => channelArn.charCodeAt(0)

export const envelope = (channelArn: string, seq: number | undefined, more: Partial<Envelope> = {}): Envelope => ({
  channelId: numberOf(channelArn),
  channelArn,
  seq,
  audience: { to: 'members' },
  frame: 'frame',
  ...more,
})
