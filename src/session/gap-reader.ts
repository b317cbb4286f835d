import type { ChannelRef } from '../bus/bus.ts'
import type { Cancel, Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { ChannelLog, LogPage } from './channel-log.ts'
import type { ChannelOrder, Gap } from './channel-order.ts'

/** Events of two nodes may cross on their way: only a gap that is older than this is read from the log. */
export const graceMs = 50
/** Gaps that are read at once; the others wait in line. After an outage there may be one in every channel. */
const readsMax = 4
/** While the store is away, a read is tried again after this; each time after twice as long, up to the most. */
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
  /** Hands over what was read. */
  fill(channel: C, gap: Gap, page: LogPage | undefined): void
}

/** Reads from the log what the bus did not bring, until there is no gap left. Nothing is skipped while the store is away. */
export class GapReader<C extends Ordered> {
  readonly #parts: GapReaderParts<C>
  readonly #later = new Map<C, Cancel>()
  readonly #line = new Set<C>()
  readonly #reading = new Set<C>()
  readonly #failures = new Map<C, number>()
  #reads = 0
  #closed = false

  constructor(parts: GapReaderParts<C>) {
    this.#parts = parts
  }

  /** After the grace, unless the gap has closed by then. */
  soon(channel: C): void {
    if (!this.#isWaiting(channel)) this.#readLater(channel, graceMs)
  }

  now(channel: C): void {
    if (this.#closed || this.#reading.has(channel) || this.#failures.has(channel)) return
    this.#later.get(channel)?.()
    this.#later.delete(channel)
    this.#line.add(channel)
    this.#readNext()
  }

  /** Nobody here hears the channel any more. */
  forget(channel: C): void {
    this.#later.get(channel)?.()
    for (const channels of [this.#later, this.#line, this.#reading, this.#failures]) channels.delete(channel)
  }

  close(): void {
    this.#closed = true
    for (const cancel of this.#later.values()) cancel()
    for (const channels of [this.#later, this.#line, this.#reading, this.#failures]) channels.clear()
  }

  #isWaiting(channel: C): boolean {
    return this.#closed || this.#later.has(channel) || this.#line.has(channel) || this.#reading.has(channel)
  }

  #readLater(channel: C, waitMs: number): void {
    const { clock } = this.#parts
    const wake = () => {
      this.#later.delete(channel)
      this.#line.add(channel)
      this.#readNext()
    }
    this.#later.set(channel, clock.at(clock.now() + waitMs, wake))
  }

  #readNext(): void {
    for (const channel of this.#line) {
      if (this.#reads >= readsMax) return
      this.#line.delete(channel)
      void this.#read(channel)
    }
  }

  async #read(channel: C): Promise<void> {
    this.#reads += 1
    this.#reading.add(channel)
    while (this.#reading.has(channel)) {
      const gap = channel.order.takeGap()
      if (!gap || !(await this.#readGap(channel, gap))) this.#reading.delete(channel)
    }
    this.#reads -= 1
    this.#readNext()
  }

  /** Answers whether it could be read. */
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
      log.warn({ err: error, channelArn: channel.channelArn, waitMs }, 'the log of a channel could not be read yet')
      if (gap.through === undefined) channel.order.doubt()
      this.#failures.set(channel, failures + 1)
      this.#readLater(channel, waitMs)
      return false
    }
  }
}
