import type { Envelope } from '../bus/bus.ts'

/**
 * Maximum of early events that one channel buffers while earlier ones are missing. Further ones are read from the log.
 */
const earlyMax = 256

/** The numbers that must be read from the log before anything else can be delivered. */
export interface Gap {
  /** The last number that was delivered. */
  after: number
  /** Undefined if the end of the log is unknown. */
  through: number | undefined
}

/**
 * Puts the numbered events of one channel in the order of their numbers: each is delivered once, and none before its
 * predecessors. The caller delivers; this class says which event is next, and which numbers are missing.
 *
 *                  startAt               reach, markUncertain
 *     not started ──────────► in step ───────────────────────► behind
 *                                ▲    accept, next, skipTo       │
 *                                └───────────────────────────────┘
 *
 * Not started, the number before the first event is unknown, and all events are buffered. In step, all known events
 * were delivered. Behind, events are missing (`hasGap`), and later ones are buffered.
 *
 * `rewind` puts the order behind again: numbers up to `repeatedThrough` then pass a second time, for the members that
 * lack them. `pause` buffers all events, in any state, until `resume`.
 */
export class ChannelOrder {
  #position: number | undefined
  /** The number after which the order started. */
  #begin = 0
  /** The highest number that is known to be in the log. */
  #reached = 0
  /** Whether the log may have further events that were not announced. */
  #isUncertain = false
  #repeatedThrough = 0
  #isPaused = false
  readonly #early = new Map<number, Envelope>()

  /** The number of the last event that was delivered, or that concerns no user here; undefined before `startAt`. */
  get position(): number | undefined {
    return this.#position
  }

  /** Numbers up to this one passed before the order started, and no user here received them. */
  get begin(): number {
    return this.#begin
  }

  /** Numbers up to this one pass for the second time. */
  get repeatedThrough(): number {
    return this.#repeatedThrough
  }

  /** Starts after this number. If the start is known already, it stays, and the number counts as announced. */
  startAt(position: number): void {
    this.reach(position)
    if (this.#position !== undefined) return
    this.#position = position
    this.#begin = position
    this.#forget(position)
  }

  /**
   * Whether the event is next; then it counts as delivered. Otherwise it is buffered if it is early, and dropped if it
   * is late.
   */
  accept(seq: number, envelope: Envelope): boolean {
    if (this.#position !== undefined && seq === this.#position + 1 && !this.#isPaused) {
      this.#position = seq
      if (this.#early.size > 0) this.#early.delete(seq)
      return true
    }
    if (this.#position === undefined || seq > this.#position) {
      this.reach(seq)
      if (this.#early.size < earlyMax) this.#early.set(seq, envelope)
    }
    return false
  }

  /** The buffered event that is next; it then counts as delivered. */
  next(): Envelope | undefined {
    if (this.#position === undefined || this.#early.size === 0 || this.#isPaused) return undefined
    const envelope = this.#early.get(this.#position + 1)
    if (envelope) {
      this.#position += 1
      this.#early.delete(this.#position)
    }
    return envelope
  }

  /** The log goes at least this far. */
  reach(seq: number): void {
    this.#reached = Math.max(this.#reached, seq)
  }

  /** The log may have further events that were not announced. */
  markUncertain(): void {
    this.#isUncertain = true
  }

  get hasGap(): boolean {
    return this.#position !== undefined && !this.#isPaused && (this.#isUncertain || this.#reached > this.#position)
  }

  /** The number of known events that are not delivered yet. */
  get lag(): number {
    return this.#position === undefined ? 0 : Math.max(0, this.#reached - this.#position)
  }

  /** The gap to read next. It clears the uncertainty, so call `markUncertain` again if the read fails. */
  nextGap(): Gap | undefined {
    if (!this.hasGap || this.#position === undefined) return undefined
    const after = this.#position
    const isUncertain = this.#isUncertain
    this.#isUncertain = false
    if (isUncertain) return { after, through: undefined }
    return { after, through: this.#early.size === 0 ? this.#reached : Math.min(...this.#early.keys()) - 1 }
  }

  /** Continues after this number, whether or not the events before it were received. Never goes back. */
  skipTo(position: number): void {
    if (this.#position === undefined || position <= this.#position) return
    this.#position = position
    this.#forget(position)
  }

  /** Starts again after this number, which was delivered already: another user must receive the later events. */
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

  /** All buffered events, in order. For a channel whose log is deleted: nothing will ever fill its gaps. */
  drain(): Envelope[] {
    const envelopes = [...this.#early].sort(([a], [b]) => a - b).map(([, envelope]) => envelope)
    this.#early.clear()
    return envelopes
  }

  #forget(position: number): void {
    for (const seq of this.#early.keys()) if (seq <= position) this.#early.delete(seq)
  }
}
