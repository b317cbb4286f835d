import type { Cancel, Clock } from '../runtime/clock.ts'
import { Countdown } from '../runtime/countdown.ts'

/** A reading starts after so long without a change, so that a burst of writes is one change … */
const quietMs = 20
/** … and at most so long after the first of them. */
const settleMsMax = 50
/**
 * After a reading, changes wait for four times as long as it took: this limits the cost of a folder that changes constantly
 * …
 */
const restPerReading = 4
/** … and for no longer than this. */
const restMsMax = 2_000
/**
 * While events arrive, the folder is read at this interval, for changes without a watch event: a mount, a network disk.
 */
export const lookEveryMs = 2_000
/** An event waits for a reading if the last one is older than this, as after a pause. */
const waitAfterMs = 2 * lookEveryMs
/** The minimum interval of readings for names that are not in the folder. */
const missingEveryMs = 100
/** The delay before the retry of a failed reading. */
const retryMs = 1_000
/** A longer reading, as on a network disk that is away, has failed. No other one starts before it has ended. */
const readingMsMax = 5_000

/** Changes since the start of the last reading. */
interface Burst {
  firstAt: number
  lastAt: number
}

/**
 * The end of a wait, and its maximum length: a wait that seems to be longer shows that the system's clock was set back.
 */
interface Wait {
  untilMs: number
  waitMsMax: number
}

export interface ReadingScheduleOptions {
  clock: Clock
  /** Reads the folder. Never rejects. */
  read(): Promise<void>
  /** Called when a reading takes too long; the reading continues. */
  overdue(limitMs: number): void
}

/** Schedules readings of the functions folder: after changes, at an interval while events arrive, and one at a time. */
export class ReadingSchedule {
  #options: ReadingScheduleOptions
  #burst: Burst | undefined
  #reading: Promise<void> = Promise.resolve()
  #nextReading: Promise<void> | undefined
  #startedAt = Number.NEGATIVE_INFINITY
  #restUntil = Number.NEGATIVE_INFINITY
  #isOverdue = false
  #wereEvents = false
  #cancelLook: Cancel | undefined
  #cancelRetry: Cancel | undefined
  #closed = false

  constructor(options: ReadingScheduleOptions) {
    this.#options = options
  }

  /** Resolves when the reading has ended or has timed out. */
  readNow(): Promise<void> {
    if (this.#closed || this.#isOverdue) return Promise.resolve()
    const { clock, read, overdue } = this.#options
    const { promise, resolve: release } = Promise.withResolvers<void>()
    this.#reading = promise
    this.#startedAt = clock.now()
    this.#burst = undefined
    const limit = new Countdown(clock, readingMsMax, () => {
      this.#isOverdue = true
      overdue(readingMsMax)
      release()
    })
    void read().finally(() => {
      limit.cancel()
      this.#isOverdue = false
      this.#restUntil = clock.now() + Math.min(restMsMax, restPerReading * (clock.now() - this.#startedAt))
      release()
    })
    return promise
  }

  /** A watch has seen a change in the folder. */
  noticeChange(): void {
    const now = this.#options.clock.now()
    this.#burst = { firstAt: this.#burst?.firstAt ?? now, lastAt: now }
    void this.#readNext()
  }

  /**
   * To be called for each event. A promise when the last reading is too old to be relied on. While events come, a
   * reading starts and no event waits for it: on a slow disk it takes as long as the time between two readings.
   */
  refresh(): Promise<void> | undefined {
    this.#wereEvents = true
    this.#cancelLook ??= this.#lookLater()
    const ageMs = this.#options.clock.now() - this.#startedAt
    if (ageMs >= 0 && ageMs <= lookEveryMs) return undefined
    const reading = this.#readNext()
    return ageMs >= 0 && ageMs <= waitAfterMs ? undefined : reading
  }

  /** A reading that starts after this call. All calls within 100 ms share one, also for different names. */
  lookAgain(): Promise<void> {
    return this.#readNext({ untilMs: this.#startedAt + missingEveryMs, waitMsMax: missingEveryMs })
  }

  /** The reading has failed: there will be another one soon, whether or not events come. */
  retry(): void {
    const { clock } = this.#options
    this.#cancelRetry?.()
    this.#cancelRetry = clock.at(clock.now() + retryMs, () => void this.#readNext())
  }

  /** Resolves when no reading is under way. */
  async close(): Promise<void> {
    this.#closed = true
    this.#cancelLook?.()
    this.#cancelRetry?.()
    await this.#reading
  }

  #lookLater(): Cancel {
    const { clock } = this.#options
    return clock.at(clock.now() + lookEveryMs, () => {
      this.#cancelLook = undefined
      if (!this.#wereEvents) return
      this.#wereEvents = false
      this.#cancelLook = this.#lookLater()
      void this.#readNext()
    })
  }

  /** The next reading. All calls before it starts share it. */
  #readNext(wait?: Wait): Promise<void> {
    this.#nextReading ??= this.#schedule(wait)
    return this.#nextReading
  }

  async #schedule(wait?: Wait): Promise<void> {
    await this.#reading
    if (wait) await this.#pass(wait)
    if (this.#burst) await this.#pass({ untilMs: this.#restUntil, waitMsMax: restMsMax })
    for (let settled = this.#settled(); settled; settled = this.#settled()) await settled
    this.#nextReading = undefined
    await this.readNow()
  }

  /** Undefined when no burst of changes is under way. */
  #settled(): Promise<void> | undefined {
    if (!this.#burst) return undefined
    const { firstAt, lastAt } = this.#burst
    return this.#pass({ untilMs: Math.min(lastAt + quietMs, firstAt + settleMsMax), waitMsMax: settleMsMax })
  }

  /** Undefined when there is nothing to wait for. */
  #pass({ untilMs, waitMsMax }: Wait): Promise<void> | undefined {
    const { clock } = this.#options
    const leftMs = untilMs - clock.now()
    return leftMs <= 0 || leftMs > waitMsMax ? undefined : new Promise((resolve) => clock.at(untilMs, resolve))
  }
}
