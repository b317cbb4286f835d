import { type Cancel, type Clock, every } from './clock.ts'
import type { Log } from './log.ts'

interface PollParts {
  clock: Clock
  log: Pick<Log, 'debug'>
  everyMs: number
  /** What cannot be read if a look fails, for the log. */
  subject: string
  look(): Promise<void>
}

/** Looks at something again and again, one look at a time. What one look fails to read, the next one reads. */
export class Poll {
  readonly #parts: PollParts
  #cancel: Cancel = () => {}
  #looking: Promise<void> | undefined
  #closed = false

  constructor(parts: PollParts) {
    this.#parts = parts
  }

  /** A look in progress must then have no effect. */
  get isClosed(): boolean {
    return this.#closed
  }

  /** Resolves after the first look. */
  start(): Promise<void> {
    const { clock, everyMs } = this.#parts
    this.#cancel = every(clock, everyMs, () => void this.look())
    return this.look()
  }

  /** Never rejects. A call during a look returns its promise. */
  look(): Promise<void> {
    const { log, look, subject } = this.#parts
    this.#looking ??= look()
      .catch((err: unknown) => log.debug({ err }, `${subject} could not be read`))
      .finally(() => {
        this.#looking = undefined
      })
    return this.#looking
  }

  /** Does not wait for a look in progress: what it reads may not respond, and the store ends it when it closes. */
  close(): void {
    this.#closed = true
    this.#cancel()
  }
}
