import type { Cancel, Clock } from '../runtime/clock.ts'

/** Sessions are pinged in so many groups, one after the other, so that pings are spread over the period. */
const groupsCount = 30

/** A session, as far as pings are concerned. */
export interface Pinged {
  ping(): void
}

/**
 * Pings all sessions of a server once in a period, by one timer: a timer for each made an idle session 300 bytes
 * larger.
 */
export class Pings {
  readonly #clock: Clock
  readonly #turnEveryMs: number
  readonly #groups = Array.from({ length: groupsCount }, () => new Set<Pinged>())
  /** The group that was pinged last. */
  #latest = 0
  #size = 0
  #cancelTurn: Cancel = () => {}

  constructor(clock: Clock, pingEveryMs: number) {
    this.#clock = clock
    this.#turnEveryMs = pingEveryMs / groupsCount
  }

  /** The first ping comes after almost a whole period. Returns the group, for `remove`. */
  add(session: Pinged): number {
    this.#groups[this.#latest]?.add(session)
    this.#size += 1
    if (this.#size === 1) this.#turnLater()
    return this.#latest
  }

  remove(session: Pinged, group: number): void {
    if (!this.#groups[group]?.delete(session)) return
    this.#size -= 1
    if (this.#size === 0) this.#cancelTurn()
  }

  #turnLater(): void {
    this.#cancelTurn = this.#clock.at(this.#clock.now() + this.#turnEveryMs, () => this.#turn())
  }

  #turn(): void {
    this.#turnLater()
    this.#latest = (this.#latest + 1) % groupsCount
    // A ping that ends its session removes it.
    for (const session of this.#groups[this.#latest] ?? []) session.ping()
  }
}
