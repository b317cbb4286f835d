import type { Clock } from '../runtime/clock.ts'
import { inTime } from '../runtime/in-time.ts'

/** Time limit of a check. Load balancers wait a little longer for the response. */
export const checkMsMax = 2_000

/** Rejects, or throws, with an error that says in a few words why calls should go to another node for now. */
export type Check = () => Promise<void> | void

export interface Checks {
  /** If any of these fails, calls should go to another node. */
  needed: Record<string, Check>
  /**
   * The server works without these, with limitations. They often fail on all nodes at once, as when the bus is away: if
   * the nodes were unready then, none would serve.
   */
  reported: Record<string, Check>
}

/** The body of `/readyz`: for each check `ok` or the failure. */
export interface Report {
  ready: boolean
  checks: Record<string, string>
}

/** Runs the checks. Requests at the same time share one run: a check that hangs is not started twice. */
export class Readiness {
  readonly #checks: Checks
  readonly #clock: Clock
  readonly #inFlight = new Map<string, Promise<void>>()

  constructor(checks: Checks, clock: Clock) {
    this.#checks = checks
    this.#clock = clock
  }

  async report(): Promise<Report> {
    const [needed, reported] = await Promise.all([
      this.#results(this.#checks.needed),
      this.#results(this.#checks.reported),
    ])
    const ready = needed.every(([, result]) => result === 'ok')
    return { ready, checks: Object.fromEntries([...needed, ...reported]) }
  }

  #results(checks: Record<string, Check>): Promise<[name: string, result: string][]> {
    return Promise.all(Object.entries(checks).map(async ([name, check]) => [name, await this.#result(name, check)]))
  }

  async #result(name: string, check: Check): Promise<string> {
    try {
      await inTime(this.#clock, name, checkMsMax, this.#run(name, check))
      return 'ok'
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  #run(name: string, check: Check): Promise<void> {
    const inFlight = this.#inFlight.get(name)
    if (inFlight) return inFlight
    const started = Promise.resolve()
      .then(check)
      .finally(() => this.#inFlight.delete(name))
    this.#inFlight.set(name, started)
    return started
  }
}
