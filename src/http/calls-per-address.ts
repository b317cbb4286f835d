const windowMs = 60_000
/** Addresses that are counted at the same time. All further ones share a count. */
const addressesMax = 10_000
const others = 'others'

/** Counts the calls of each address in each minute. */
export class CallsPerAddress {
  readonly #callsMax: number
  readonly #counts = new Map<string, number>()
  #endsAtMs = Number.NEGATIVE_INFINITY

  constructor(callsMax: number) {
    this.#callsMax = callsMax
  }

  /** Counts one more call. Returns undefined, or in how many seconds the address may call again. */
  count(address: string, nowMs: number): number | undefined {
    // The clock may also have been set back.
    if (nowMs >= this.#endsAtMs || nowMs < this.#endsAtMs - windowMs) {
      this.#counts.clear()
      this.#endsAtMs = nowMs + windowMs
    }
    const key = this.#counts.has(address) || this.#counts.size < addressesMax ? address : others
    const calls = (this.#counts.get(key) ?? 0) + 1
    if (calls > this.#callsMax) return Math.ceil((this.#endsAtMs - nowMs) / 1000)
    this.#counts.set(key, calls)
    return undefined
  }
}
