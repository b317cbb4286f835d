import type { Envelope } from '../bus/bus.ts'

/** Events that one channel holds back while others before them are missing. What is beyond this is read from the log. */
const heldMax = 256

/** The numbers that must be read from the log before anything else can be delivered. */
export interface Gap {
  /** The last one that was delivered. */
  after: number
  /** Undefined when nobody knows how far the log goes. */
  through: number | undefined
}

/**
 * The numbered events of one channel, put in the order of their numbers: each is delivered once, and none before all
 * that came before it. The caller delivers; this says what, and what is missing.
 *
 *                 place                  reach, doubt
 *     unplaced ───────────► in step ───────────────────────► behind
 *                              ▲    takes, next, skipTo        │
 *                              └───────────────────────────────┘
 *
 * Unplaced, it does not know after which number to begin, and holds everything back. In step, all that is known of was
 * delivered. Behind, something is missing (`hasGap`), and what comes after it is held back.
 *
 * `rewind` puts it behind again: numbers up to `repeatedThrough` then pass a second time, for those who lack them. `pause`
 * holds everything back, in whichever state it is, until `resume`.
 */
export class ChannelOrder {
  #position: number | undefined
  /** After which number it began. */
  #begin = 0
  /** The highest number that is known to be in the log. */
  #reached = 0
  /** Whether the log may hold more than anybody has told of. */
  #inDoubt = false
  #repeatedThrough = 0
  #isPaused = false
  readonly #held = new Map<number, Envelope>()

  /** The number of the last event that was delivered, or that is not for anybody here; undefined before it is placed. */
  get position(): number | undefined {
    return this.#position
  }

  /** Numbers up to this one passed before the channel was placed, and nobody here received them. */
  get begin(): number {
    return this.#begin
  }

  /** Numbers up to this one pass for the second time. */
  get repeatedThrough(): number {
    return this.#repeatedThrough
  }

  /** Begins after this number. Where a beginning is known already, that one stays, and the number is merely reached. */
  place(position: number): void {
    this.reach(position)
    if (this.#position !== undefined) return
    this.#position = position
    this.#begin = position
    this.#forget(position)
  }

  /** Whether it is this event's turn; then it counts as delivered. It is held back, or dropped as heard, otherwise. */
  takes(seq: number, envelope: Envelope): boolean {
    if (this.#position !== undefined && seq === this.#position + 1 && !this.#isPaused) {
      this.#position = seq
      if (this.#held.size > 0) this.#held.delete(seq)
      return true
    }
    if (this.#position === undefined || seq > this.#position) {
      this.reach(seq)
      if (this.#held.size < heldMax) this.#held.set(seq, envelope)
    }
    return false
  }

  /** The held event whose turn has come, which then counts as delivered. */
  next(): Envelope | undefined {
    if (this.#position === undefined || this.#held.size === 0 || this.#isPaused) return undefined
    const envelope = this.#held.get(this.#position + 1)
    if (envelope) {
      this.#position += 1
      this.#held.delete(this.#position)
    }
    return envelope
  }

  /** The log goes at least this far. */
  reach(seq: number): void {
    this.#reached = Math.max(this.#reached, seq)
  }

  /** The log may go further than anybody has told. */
  doubt(): void {
    this.#inDoubt = true
  }

  get hasGap(): boolean {
    return this.#position !== undefined && !this.#isPaused && (this.#inDoubt || this.#reached > this.#position)
  }

  /** How many events are known of that are not delivered yet. */
  get lag(): number {
    return this.#position === undefined ? 0 : Math.max(0, this.#reached - this.#position)
  }

  /** What to read next. Settles the doubt, so doubt again if the read fails. */
  takeGap(): Gap | undefined {
    if (!this.hasGap || this.#position === undefined) return undefined
    const after = this.#position
    const inDoubt = this.#inDoubt
    this.#inDoubt = false
    if (inDoubt) return { after, through: undefined }
    return { after, through: this.#held.size === 0 ? this.#reached : Math.min(...this.#held.keys()) - 1 }
  }

  /** Goes on after this number, whether or not what is before it was ever heard. Never goes back. */
  skipTo(position: number): void {
    if (this.#position === undefined || position <= this.#position) return
    this.#position = position
    this.#forget(position)
  }

  /** Begins again after this number, which was delivered already: somebody else has to hear what followed. */
  rewind(position: number): void {
    if (this.#position === undefined || position >= this.#position) return
    this.reach(this.#position)
    this.#repeatedThrough = Math.max(this.#repeatedThrough, this.#position)
    this.#position = position
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
  }

  /** All that is held, in order. For a channel whose log is gone: nothing will ever fill its gaps. */
  drain(): Envelope[] {
    const envelopes = [...this.#held].sort(([a], [b]) => a - b).map(([, envelope]) => envelope)
    this.#held.clear()
    return envelopes
  }

  #forget(position: number): void {
    for (const seq of this.#held.keys()) if (seq <= position) this.#held.delete(seq)
  }
}
