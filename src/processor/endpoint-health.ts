import type { Outcome } from './http-origin.ts'

/** For so long after its last good answer, an endpoint that gives none is taken for one that restarts or has no room. */
const graceMsMax = 60_000
/** A caller chooses the names of functions, so they are remembered up to this many; the oldest is forgotten first. */
const failingMax = 1_000
/** What a throttle says, and what a gateway says whose server restarts. Every other answer shows that the endpoint works. */
const busyStatuses = [429, 502, 503, 504]

/** Tells an endpoint that was there a moment ago, and will be back, from one that cannot be reached. */
export class EndpointHealth {
  #now: () => number
  #goodAt = Number.NEGATIVE_INFINITY
  /** Since when each function has had no good answer: one of which the others' answers say nothing is given up as well. */
  #failingSince = new Map<string, number>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** Notes what became of a call, and returns whether a failure is one that will be over soon. */
  observe(functionName: string, outcome: Outcome): boolean {
    const now = this.#now()
    if (outcome.outcome === 'answered' && !busyStatuses.includes(outcome.status)) {
      this.#goodAt = now
      this.#failingSince.delete(functionName)
      return false
    }
    const isBusy = outcome.outcome === 'answered' || (outcome.outcome === 'unreached' && outcome.away)
    if (!isBusy) return false
    const since = this.#failingSince.get(functionName) ?? this.#noteFailing(functionName, now)
    return now - this.#goodAt < graceMsMax && now - since < graceMsMax
  }

  #noteFailing(functionName: string, now: number): number {
    const [oldest] = this.#failingSince.keys()
    if (oldest !== undefined && this.#failingSince.size >= failingMax) this.#failingSince.delete(oldest)
    this.#failingSince.set(functionName, now)
    return now
  }
}
