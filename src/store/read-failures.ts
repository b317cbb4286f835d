/** The minimum time between two warnings. */
const warnEveryMs = 60_000

interface ReadFailuresParts {
  clock: { now(): number }
  log: { warn(fields: object, text: string): void }
}

/**
 * Logs failed reads of the disk. They do not make the store unready: a failed read says nothing about writes, and each
 * successful probe would make the store ready again.
 */
export class ReadFailures {
  readonly #parts: ReadFailuresParts
  #warnedAt = Number.NEGATIVE_INFINITY

  constructor(parts: ReadFailuresParts) {
    this.#parts = parts
  }

  report(reason: string): void {
    const now = this.#parts.clock.now()
    if (now - this.#warnedAt < warnEveryMs) return
    this.#warnedAt = now
    this.#parts.log.warn({ reason }, 'the store cannot read: calls that need the data get 503')
  }
}
