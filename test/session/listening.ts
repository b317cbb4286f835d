import type { Subscriber } from '../../src/session/hub-members.ts'
import { readFrame } from './read-frame.ts'

/** A session that notes what is delivered: a message's text, or else the event's type. */
export class Listening implements Subscriber {
  readonly userArn: string
  readonly userId = 1
  readonly heard: string[] = []
  #wake: () => void = () => {}

  constructor(userArn: string) {
    this.userArn = userArn
  }

  userDeleted(): void {}

  deliver(frame: Buffer): void {
    const { Headers, Payload } = JSON.parse(readFrame(frame))
    this.heard.push(JSON.parse(Payload).Content ?? Headers['x-amz-chime-event-type'])
    this.#wake()
  }

  /** Resolves when this was delivered. The test's timeout is the limit. */
  async until(text: string): Promise<string[]> {
    while (!this.heard.includes(text)) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      await promise
    }
    return this.heard
  }
}
