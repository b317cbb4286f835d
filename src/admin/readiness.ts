import type { Clock } from '../runtime/clock.ts'
import { inTime } from '../runtime/in-time.ts'

/** What takes longer than this is not ready. Balancers wait a little more. */
export const checkMsMax = 2_000

/** Rejects, or throws, with an error that says in a few words why calls should go elsewhere for now. */
export type Check = () => Promise<void> | void

export interface Checks {
  /** Without any of these, calls should go elsewhere. */
  needed: Record<string, Check>
  /**
   * What a server goes on without, as well as it can. It is told, but all nodes lack it at once, as when the bus is away:
   * if they were not ready then, nobody would answer at all.
   */
  told: Record<string, Check>
}

/** What `/readyz` answers: each check is `ok`, or what is wrong. */
export interface Report {
  ready: boolean
  checks: Record<string, string>
}

/** Looks whether a server can do its work. One look at a time, however many ask: a check that hangs is not asked twice. */
export class Readiness {
  readonly #checks: Checks
  readonly #clock: Clock
  readonly #looks = new Map<string, Promise<void>>()

  constructor(checks: Checks, clock: Clock) {
    this.#checks = checks
    this.#clock = clock
  }

  async report(): Promise<Report> {
    const [needed, told] = await Promise.all([this.#results(this.#checks.needed), this.#results(this.#checks.told)])
    const ready = needed.every(([, result]) => result === 'ok')
    return { ready, checks: Object.fromEntries([...needed, ...told]) }
  }

  #results(checks: Record<string, Check>): Promise<[name: string, result: string][]> {
    return Promise.all(Object.entries(checks).map(async ([name, check]) => [name, await this.#result(name, check)]))
  }

  async #result(name: string, check: Check): Promise<string> {
    try {
      await inTime(this.#clock, name, checkMsMax, this.#look(name, check))
      return 'ok'
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  #look(name: string, check: Check): Promise<void> {
    const underWay = this.#looks.get(name)
    if (underWay) return underWay
    const look = Promise.resolve()
      .then(check)
      .finally(() => this.#looks.delete(name))
    this.#looks.set(name, look)
    return look
  }
}
