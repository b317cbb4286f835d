import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { PacedWarning } from '../runtime/paced-warning.ts'
import { StsError } from './sts-error.ts'

/** Maximum of calls in flight, and of permits that rest. */
const inFlightMax = 4
/**
 * A permit rests after each call, so the calls of a node have at most 400 a second. Each takes 0.3 ms of processor time
 * more than its rejection: strangers, who need no key for them, take an eighth of a processor at most.
 */
const restMs = 10
/** Maximum of calls that wait: 2.5 s. A further one is rejected at once. */
const waitingMax = 1_024

/** A call that was rejected because too many others wait. */
export class Overloaded extends StsError {
  constructor() {
    super('ServiceUnavailable', 'Too many calls without a signature are waiting; try again')
  }
}

/** Calls without a signature wait for each other, so that the signed calls do not wait for them. */
export class UnsignedCalls {
  readonly #clock: Clock
  readonly #warning: PacedWarning
  #free = inFlightMax
  #rejected = 0
  readonly #waiting: (() => void)[] = []

  constructor({ clock, log }: { clock: Clock; log: Pick<Log, 'warn'> }) {
    this.#clock = clock
    this.#warning = new PacedWarning(clock, () => {
      const rejected = this.#rejected
      this.#rejected = 0
      if (rejected > 0) log.warn({ rejected }, 'STS calls without a signature rejected: overload')
      return rejected > 0
    })
  }

  /** Does the work of a call when it has a permit. Throws Overloaded, without the work, if too many calls wait. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.#permit()
    try {
      return await work()
    } finally {
      this.#clock.at(this.#clock.now() + restMs, () => this.#release())
    }
  }

  async #permit(): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1
    } else if (this.#waiting.length < waitingMax) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    } else {
      this.#rejected += 1
      this.#warning.request()
      throw new Overloaded()
    }
  }

  #release(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free += 1
  }
}
