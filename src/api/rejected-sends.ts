import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { Metrics, SendRejection } from '../runtime/metrics.ts'
import { PacedWarning } from '../runtime/paced-warning.ts'

interface RejectedSendsParts {
  metrics: Pick<Metrics, 'countSendRejection'>
  clock: Clock
  log: Pick<Log, 'warn'>
}

/** Counts rejected sends and logs them: the first one at once, then once a minute the number since then. */
export class RejectedSends {
  readonly #parts: RejectedSendsParts
  #byReason: Partial<Record<SendRejection, number>> = {}
  /** The function of the last one. */
  #processor = ''
  readonly #warning: PacedWarning

  constructor(parts: RejectedSendsParts) {
    this.#parts = parts
    this.#warning = new PacedWarning(parts.clock, () => this.#warn())
  }

  add(reason: SendRejection, functionName: string): void {
    this.#parts.metrics.countSendRejection(reason)
    this.#byReason[reason] = (this.#byReason[reason] ?? 0) + 1
    this.#processor = functionName
    this.#warning.request()
  }

  close(): void {
    this.#warning.close()
  }

  #warn(): boolean {
    if (Object.keys(this.#byReason).length === 0) return false
    const processor = this.#processor === '' ? {} : { processor: this.#processor }
    this.#parts.log.warn({ reasons: this.#byReason, ...processor }, 'sends rejected: overload')
    this.#byReason = {}
    return true
  }
}
