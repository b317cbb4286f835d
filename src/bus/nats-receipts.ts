import type { BusMessage } from './nats-wire.ts'

/** Maximum of published bytes that the server has not confirmed. Beyond this the server counts as stuck. */
const unconfirmedBytesMax = 16 * 1024 * 1024
/** Maximum of notices that are kept for later. Beyond this there is one for all: catch up. */
const lostMax = 10_000

/** The notice to publish later if the message itself was lost. */
export interface Notice {
  subject: string
  message: BusMessage
}

/**
 * The state of each publish: sent, confirmed by the server, or lost. For a channel only the latest counts: the log has
 * all.
 */
export class Receipts {
  #sent = new Map<string, Notice>()
  #sentBytes = 0
  /** The publishes before the last flush; one response of the server confirms all of them. */
  #asked = new Map<string, Notice>()
  #askedBytes = 0
  #lost = new Map<string, Notice>()
  #lostTooMany = false

  get isFull(): boolean {
    return this.#sentBytes + this.#askedBytes > unconfirmedBytesMax
  }

  get hasLost(): boolean {
    return this.#lostTooMany || this.#lost.size > 0
  }

  sent(notice: Notice | undefined, bytes: number): void {
    this.#sentBytes += bytes
    if (notice) this.#sent.set(keyOf(notice), notice)
  }

  lost(notice: Notice | undefined): void {
    if (!notice || this.#lostTooMany) return
    this.#lost.set(keyOf(notice), notice)
    if (this.#lost.size <= lostMax) return
    this.#lost.clear()
    this.#lostTooMany = true
  }

  /**
   * Begins to confirm all publishes until now, if there are any. Call the returned function when the server has
   * confirmed.
   */
  ask(): (() => void) | undefined {
    if (this.#sentBytes === 0) return undefined
    const asked = this.#sent
    this.#asked = asked
    this.#askedBytes = this.#sentBytes
    this.#sent = new Map()
    this.#sentBytes = 0
    return () => {
      // If the connection broke meanwhile, the publishes count as lost.
      if (this.#asked !== asked) return
      this.#asked = new Map()
      this.#askedBytes = 0
    }
  }

  /** The connection broke: it is unknown which publishes have arrived. */
  loseAll(): void {
    const notices = [...this.#asked.values(), ...this.#sent.values()]
    this.#asked = new Map()
    this.#sent = new Map()
    this.#askedBytes = 0
    this.#sentBytes = 0
    for (const notice of notices) this.lost(notice)
  }

  /** Returns the notices of lost publishes, or that there are too many. */
  takeLost(): Notice[] | 'too many' {
    const notices = this.#lostTooMany ? 'too many' : [...this.#lost.values()]
    this.#lostTooMany = false
    this.#lost.clear()
    return notices
  }
}

/** A channel's highest number stands for the lower ones. Of a user's joins, the latest of each channel counts. */
const keyOf = ({ subject, message }: Notice): string =>
  message.kind === 'joined' ? `${subject} ${message.channelId}` : subject
