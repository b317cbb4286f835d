import type { ChannelRef } from '../bus/bus.ts'
import type { Cancel, Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { ChannelLog, LogPage } from './channel-log.ts'
import type { ChannelOrder, Gap } from './channel-order.ts'

/** Events of two nodes may overtake each other: only a gap that is older than this is read from the log. */
export const graceMs = 50
/** Concurrent reads; further gaps are queued. After an outage there may be one in every channel. */
const readsMax = 4
/**
 * While the store is away, a read is retried after this time, then each time after twice as long, up to the maximum.
 */
const pauseMsFirst = 100
const pauseMsMax = 5_000

/** A channel whose events are put in order. */
interface Ordered extends ChannelRef {
  readonly order: ChannelOrder
}

interface GapReaderParts<C extends Ordered> {
  channelLog: Pick<ChannelLog, 'read'>
  clock: Clock
  log: Log
  /** Receives the page. */
  fill(channel: C, gap: Gap, page: LogPage | undefined): void
}

/**
 * Reads events from the log that the bus has lost, until there is no gap left. Nothing is skipped while the store is
 * away.
 */
export class GapReader<C extends Ordered> {
  readonly #parts: GapReaderParts<C>
  readonly #later = new Map<C, Cancel>()
  readonly #queue = new Set<C>()
  readonly #reading = new Set<C>()
  readonly #failures = new Map<C, number>()
  #reads = 0
  #closed = false

  constructor(parts: GapReaderParts<C>) {
    this.#parts = parts
  }

  /** Reads after the grace period, unless the gap has closed by then. */
  soon(channel: C): void {
    if (!this.#isWaiting(channel)) this.#readLater(channel, graceMs)
  }

  now(channel: C): void {
    if (this.#closed || this.#reading.has(channel) || this.#failures.has(channel)) return
    this.#later.get(channel)?.()
    this.#later.delete(channel)
    this.#queue.add(channel)
    this.#readNext()
  }

  /** The channel has no subscriber here any more. */
  forget(channel: C): void {
    this.#later.get(channel)?.()
    for (const channels of [this.#later, this.#queue, this.#reading, this.#failures]) channels.delete(channel)
  }

  close(): void {
    this.#closed = true
    for (const cancel of this.#later.values()) cancel()
    for (const channels of [this.#later, this.#queue, this.#reading, this.#failures]) channels.clear()
  }

  #isWaiting(channel: C): boolean {
    return this.#closed || this.#later.has(channel) || this.#queue.has(channel) || this.#reading.has(channel)
  }

  #readLater(channel: C, waitMs: number): void {
    const { clock } = this.#parts
    const wake = () => {
      this.#later.delete(channel)
      this.#queue.add(channel)
      this.#readNext()
    }
    this.#later.set(channel, clock.at(clock.now() + waitMs, wake))
  }

  #readNext(): void {
    for (const channel of this.#queue) {
      if (this.#reads >= readsMax) return
      this.#queue.delete(channel)
      void this.#read(channel)
    }
  }

  async #read(channel: C): Promise<void> {
    this.#reads += 1
    this.#reading.add(channel)
    while (this.#reading.has(channel)) {
      const gap = channel.order.nextGap()
      if (!gap || !(await this.#readGap(channel, gap))) this.#reading.delete(channel)
    }
    this.#reads -= 1
    this.#readNext()
  }

  /** Returns whether the read succeeded. */
  async #readGap(channel: C, gap: Gap): Promise<boolean> {
    const { channelLog, fill, log } = this.#parts
    try {
      const page = await channelLog.read(channel, gap)
      if (!this.#reading.has(channel)) return true
      this.#failures.delete(channel)
      fill(channel, gap, page)
      return true
    } catch (error) {
      if (!this.#reading.has(channel)) return false
      const failures = this.#failures.get(channel) ?? 0
      const waitMs = Math.min(pauseMsFirst * 2 ** failures, pauseMsMax)
      log.warn({ err: error, channelArn: channel.channelArn, waitMs }, 'reading a channel log failed; trying again')
      if (gap.through === undefined) channel.order.markUncertain()
      this.#failures.set(channel, failures + 1)
      this.#readLater(channel, waitMs)
      return false
    }
  }
}
