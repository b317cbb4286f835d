import type { Cancel, Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'

/** After a failure the work is retried after this time. */
const pauseMs = 1_000

/** Work that is requested often and runs once at a time: a request during a run makes it run once more. */
export class OneAtATime {
  readonly #clock: Clock
  readonly #log: Log
  readonly #work: () => Promise<void>
  #asked = false
  #working = false
  #closed = false
  #cancel: Cancel = () => {}

  /** The work may fail, as when the store is away. It is then retried. */
  constructor({ clock, log, work }: { clock: Clock; log: Log; work: () => Promise<void> }) {
    this.#clock = clock
    this.#log = log
    this.#work = work
  }

  ask(): void {
    this.#asked = true
    if (!this.#working && !this.#closed) void this.#run()
  }

  close(): void {
    this.#closed = true
    this.#cancel()
  }

  async #run(): Promise<void> {
    this.#working = true
    this.#cancel()
    while (this.#asked && !this.#closed) {
      this.#asked = false
      try {
        await this.#work()
      } catch (error) {
        this.#log.warn({ err: error, waitMs: pauseMs }, 'catching up with the channel logs failed; trying again')
        this.#asked = true
        break
      }
    }
    this.#working = false
    if (this.#asked && !this.#closed) this.#cancel = this.#clock.at(this.#clock.now() + pauseMs, () => this.ask())
  }
}
