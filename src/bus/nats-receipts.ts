import type { News } from './nats-wire.ts'

/** What may be on its way without the server having confirmed it. Beyond this a server is taken for stuck. */
const unconfirmedBytesMax = 16 * 1024 * 1024
/** Notices that are kept for later. Beyond this there is one for all: catch up. */
const lostMax = 10_000

/** What to say later, should the news itself not arrive. */
export interface Notice {
  subject: string
  news: News
}

/** Where each event got to: sent, confirmed by the server, or lost. Of a channel only the latest counts: the log has the rest. */
export class Receipts {
  #sent = new Map<string, Notice>()
  #sentBytes = 0
  /** What was sent before the server was asked; it answers for all of these at once. */
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

  /** Asks for what was sent until now, if there is anything. The answer tells that it was confirmed. */
  ask(): (() => void) | undefined {
    if (this.#sentBytes === 0) return undefined
    const asked = this.#sent
    this.#asked = asked
    this.#askedBytes = this.#sentBytes
    this.#sent = new Map()
    this.#sentBytes = 0
    return () => {
      // A connection that broke meanwhile has made it lost.
      if (this.#asked !== asked) return
      this.#asked = new Map()
      this.#askedBytes = 0
    }
  }

  /** The connection broke: nobody knows what of this has arrived. */
  loseAll(): void {
    const notices = [...this.#asked.values(), ...this.#sent.values()]
    this.#asked = new Map()
    this.#sent = new Map()
    this.#askedBytes = 0
    this.#sentBytes = 0
    for (const notice of notices) this.lost(notice)
  }

  /** What is to be said now about what was lost, or that it was too much to say. */
  takeLost(): Notice[] | 'too many' {
    const notices = this.#lostTooMany ? 'too many' : [...this.#lost.values()]
    this.#lostTooMany = false
    this.#lost.clear()
    return notices
  }
}

/** A channel's highest number stands for the lower ones. Of a user's joins, the latest of each channel counts. */
const keyOf = ({ subject, news }: Notice): string => (news.kind === 'joined' ? `${subject} ${news.channelId}` : subject)
