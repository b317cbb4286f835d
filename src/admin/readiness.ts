import type { Clock } from '../runtime/clock.ts'
import { inTime } from '../runtime/in-time.ts'

/** What takes longer than this is not ready. Balancers wait a little more. */
export const checkMsMax = 2_000

/** Rejects, or throws, with an error that says in a few words why calls should go elsewhere for now. */
export type Check = () => Promise<void> | void

/** What `/readyz` answers: each check is `ok`, or what is wrong. */
export interface Report {
  ready: boolean
  checks: Record<string, string>
}

/** Looks whether a server can do its work. One look at a time, however many ask: a check that hangs is not asked twice. */
export class Readiness {
  readonly #checks: Record<string, Check>
  readonly #clock: Clock
  readonly #looks = new Map<string, Promise<void>>()

  constructor(checks: Record<string, Check>, clock: Clock) {
    this.#checks = checks
    this.#clock = clock
  }

  async report(): Promise<Report> {
    const entries = await Promise.all(
      Object.keys(this.#checks).map(async (name): Promise<[string, string]> => [name, await this.#result(name)]),
    )
    return { ready: entries.every(([, result]) => result === 'ok'), checks: Object.fromEntries(entries) }
  }

  async #result(name: string): Promise<string> {
    try {
      await inTime(this.#clock, name, checkMsMax, this.#look(name))
      return 'ok'
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  #look(name: string): Promise<void> {
    const underWay = this.#looks.get(name)
    if (underWay) return underWay
    const look = Promise.resolve()
      .then(this.#checks[name])
      .finally(() => this.#looks.delete(name))
    this.#looks.set(name, look)
    return look
  }
}
