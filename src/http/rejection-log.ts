import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { ConnectionRejection } from '../runtime/metrics.ts'
import { PacedWarning } from '../runtime/paced-warning.ts'

/** Maximum of addresses that are counted separately in a minute; the others are counted together. */
const addressesMax = 1_000

/** Warns about rejected connections: about the first one at once, then once a minute about all of the last minute. */
export class RejectionLog {
  readonly #log: Pick<Log, 'warn'>
  #byLimit: Partial<Record<ConnectionRejection, number>> = {}
  #byAddress = new Map<string, number>()
  readonly #warning: PacedWarning

  constructor(clock: Clock, log: Pick<Log, 'warn'>) {
    this.#log = log
    this.#warning = new PacedWarning(clock, () => this.#warn())
  }

  add(limit: ConnectionRejection, address: string): void {
    const known = this.#byAddress.has(address) || this.#byAddress.size < addressesMax
    const name = known ? address : 'others'
    this.#byLimit[limit] = (this.#byLimit[limit] ?? 0) + 1
    this.#byAddress.set(name, (this.#byAddress.get(name) ?? 0) + 1)
    this.#warning.request()
  }

  close(): void {
    this.#warning.close()
  }

  #warn(): boolean {
    if (this.#byAddress.size === 0) return false
    const [address, rejected] = [...this.#byAddress].reduce((most, one) => (one[1] > most[1] ? one : most))
    const fields = { limits: this.#byLimit, addresses: this.#byAddress.size, mostFrom: { address, rejected } }
    this.#log.warn(fields, 'connections rejected: a limit is reached')
    this.#byLimit = {}
    this.#byAddress = new Map()
    return true
  }
}
