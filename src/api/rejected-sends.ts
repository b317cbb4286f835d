import type { Cancel, Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { Metrics, SendRejection } from '../runtime/metrics.ts'

/** How often at most rejected sends are written to the log. */
const warnEveryMs = 60_000

interface RejectedSendsParts {
  metrics: Pick<Metrics, 'countSendRejection'>
  clock: Clock
  log: Pick<Log, 'warn'>
}

/** Counts rejected sends, and warns of them: of the first one at once, then once a minute of all that came meanwhile. */
export class RejectedSends {
  readonly #parts: RejectedSendsParts
  #byReason: Partial<Record<SendRejection, number>> = {}
  /** The function for which the last one was. */
  #processor = ''
  #cancel: Cancel | undefined

  constructor(parts: RejectedSendsParts) {
    this.#parts = parts
  }

  add(reason: SendRejection, functionName: string): void {
    this.#parts.metrics.countSendRejection(reason)
    this.#byReason[reason] = (this.#byReason[reason] ?? 0) + 1
    this.#processor = functionName
    if (!this.#cancel) this.#warn()
  }

  close(): void {
    this.#cancel?.()
  }

  #warn(): void {
    this.#cancel = undefined
    if (Object.keys(this.#byReason).length === 0) return
    const { clock, log } = this.#parts
    const processor = this.#processor === '' ? {} : { processor: this.#processor }
    log.warn({ reasons: this.#byReason, ...processor }, 'sends rejected: overload')
    this.#byReason = {}
    this.#cancel = clock.at(clock.now() + warnEveryMs, () => this.#warn())
  }
}
