import type { Outcome } from './http-origin.ts'

/** An endpoint that fails within this time after its last good response is restarting or has no room. */
const graceMsMax = 60_000
/** Maximum of functions: callers choose their names. The one that failed the longest time ago is evicted first. */
const failingMax = 1_000
/** A throttle, and a gateway whose server restarts. Every other status shows that the endpoint works. */
const busyStatuses = [429, 502, 503, 504]

interface Failing {
  since: number
  lastAt: number
}

/** Distinguishes an endpoint that worked a moment ago from one that cannot be reached. */
export class EndpointHealth {
  #now: () => number
  #goodAt = Number.NEGATIVE_INFINITY
  /** A function that fails for the whole grace period is given up, even if others work. */
  #failing = new Map<string, Failing>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** Notes the outcome of a call. Returns whether it is a failure that will be over soon. */
  observe(functionName: string, outcome: Outcome): boolean {
    const now = this.#now()
    if (outcome.outcome === 'answered' && !busyStatuses.includes(outcome.status)) {
      this.#goodAt = now
      this.#failing.delete(functionName)
      return false
    }
    const isBusy = outcome.outcome === 'answered' || (outcome.outcome === 'unreached' && outcome.away)
    if (!isBusy) return false
    return now - this.#goodAt < graceMsMax && now - this.#failingSince(functionName, now) < graceMsMax
  }

  /** A failure after a pause longer than the grace is the first of a new series. */
  #failingSince(functionName: string, now: number): number {
    const { since, lastAt } = this.#failing.get(functionName) ?? { since: now, lastAt: now }
    const failing = { since: now - lastAt < graceMsMax ? since : now, lastAt: now }
    this.#failing.delete(functionName)
    const [oldest] = this.#failing.keys()
    if (oldest !== undefined && this.#failing.size >= failingMax) this.#failing.delete(oldest)
    this.#failing.set(functionName, failing)
    return failing.since
  }
}
