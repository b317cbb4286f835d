import type { Cancel, Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { ConnectionRejection } from '../runtime/metrics.ts'

/** How often at most rejected connections are written to the log. */
const warnEveryMs = 60_000
/** Maximum of addresses that are counted separately in a minute; the others are counted together. */
const addressesMax = 1_000

/** Warns of rejected connections: of the first one at once, then once a minute of all that came meanwhile. */
export class RejectionLog {
  readonly #clock: Clock
  readonly #log: Pick<Log, 'warn'>
  #byLimit: Partial<Record<ConnectionRejection, number>> = {}
  #byAddress = new Map<string, number>()
  #cancel: Cancel | undefined

  constructor(clock: Clock, log: Pick<Log, 'warn'>) {
    this.#clock = clock
    this.#log = log
  }

  add(limit: ConnectionRejection, address: string): void {
    const known = this.#byAddress.has(address) || this.#byAddress.size < addressesMax
    const name = known ? address : 'others'
    this.#byLimit[limit] = (this.#byLimit[limit] ?? 0) + 1
    this.#byAddress.set(name, (this.#byAddress.get(name) ?? 0) + 1)
    if (!this.#cancel) this.#warn()
  }

  close(): void {
    this.#cancel?.()
  }

  #warn(): void {
    this.#cancel = undefined
    if (this.#byAddress.size === 0) return
    const [address, rejected] = [...this.#byAddress].reduce((most, one) => (one[1] > most[1] ? one : most))
    const fields = { limits: this.#byLimit, addresses: this.#byAddress.size, mostFrom: { address, rejected } }
    this.#log.warn(fields, 'connections rejected: a limit is reached')
    this.#byLimit = {}
    this.#byAddress = new Map()
    this.#cancel = this.#clock.at(this.#clock.now() + warnEveryMs, () => this.#warn())
  }
}
