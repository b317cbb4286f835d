import { Overloaded } from '../contract/api-error.ts'
import { functionNameOf } from '../contract/arn.ts'
import type { FlowSnapshot } from '../flow/decision.ts'
import type { Cancel, Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { LoopLag, observeEveryMs } from '../runtime/loop-lag.ts'
import type { Metrics, SendRejection } from '../runtime/metrics.ts'
import { RejectedSends } from './rejected-sends.ts'
import { type SendKey, SendQueue } from './send-queue.ts'

/*
 * What finishes messages goes before what starts them. Callbacks do not come through here. A send does once its sender is
 * known to be a member, and before anything is written; an update does where a flow will hold its text:
 *
 *   - At most `begunMax.prompt` sends are at work at a time. On SQLite they share the commit at the end of this turn of the
 *     event loop, so these are the sends that a callback may have to wait for.
 *   - A function for which `backlogFrom` messages wait needs no more of them soon. Sends for such functions are at work
 *     `begunMax.behind` at a time, and with a rest after each of these while there are other sends: the event loop is theirs.
 *   - Functions take turns, and so do the channels of a function.
 *   - While `waitingMax` messages wait for a function, or the event loop has lagged for a second, a send is held back: for
 *     up to a second, and then it is rejected with 503. From half of `waitingMax` on, the sends of a channel are held back
 *     that has its share of what waits, so that one channel does not shut out the others.
 *
 * A send that only waits for its turn is not rejected, and one that is rejected has written nothing. While none waits, a
 * send costs a counter and a look at a map for each function of its flow. One timer serves all sends.
 */

/**
 * Sends at work for functions that keep up, and for those with a backlog. With 256 in flight and no flow, a send took 6 %
 * more processor time with a limit of 32 than without one, since more commits were made, and 17 % more with 16.
 */
const begunMax = { prompt: 32, behind: 4 }
/**
 * How long permits of sends that are behind rest. The median of a prompt flow beside 64 senders who are behind was 1.3
 * times that of the same flow alone, 1.9 times without the rest, and 47 times without permits (npm run bench -- overload).
 */
const restMs = 10
/** They rest only while prompt sends come: if the last one was begun no longer ago than this. */
const othersMs = 1_000
/** While so many messages wait for a function, it does not run dry although sends come slowly. */
const backlogFrom = 64
/** How long a send is held back before it is rejected. */
const heldMsMax = 1_000
/** The event loop is observed until so many timers have rung since the last send. */
const observationsMax = 10
/** Sends that wait. One more is rejected at once. */
const queuedMax = 4_096

type Pace = keyof typeof begunMax

interface AdmissionParts {
  /** How many messages may wait for a function. */
  waitingMax: number
  /** How many messages wait for a free place at a function, and how many channels have messages there. */
  backlogOf(functionName: string): { steps: number; channels: number }
  /** How many of them are the channel's. */
  backlogOfChannel(functionName: string, channelArn: string): number
  metrics: Pick<Metrics, 'countSendRejection'>
  clock: Clock
  log: Pick<Log, 'warn'>
}

interface QueuedSend extends SendKey {
  queuedAt: number
  begin(pace: Pace): void
  reject(error: Overloaded): void
}

/** Admits sends one after the other, as fast as what is under way allows. */
export class SendAdmission {
  readonly #parts: AdmissionParts
  readonly #queue = new SendQueue<QueuedSend>()
  /** The same sends, those first that have waited longest. */
  readonly #queued = new Set<QueuedSend>()
  readonly #begun = { prompt: 0, behind: 0 }
  #promptAt = Number.NEGATIVE_INFINITY
  /** Permits that rest. */
  #resting = 0
  #cancelRest: Cancel | undefined
  readonly #lag = new LoopLag()
  readonly #rejected: RejectedSends
  #observationsLeft = 0
  #cancelObservation: Cancel | undefined
  #isClosed = false

  constructor(parts: AdmissionParts) {
    this.#parts = parts
    this.#rejected = new RejectedSends(parts)
  }

  /** How many sends wait. */
  get queued(): number {
    return this.#queue.size
  }

  /** Does the work of a send once it is admitted. Throws Overloaded if it is not, and the work is not begun. */
  async run<T>(channelArn: string, flow: FlowSnapshot | undefined, work: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw stopping()
    const key = { functionName: this.#busiestOf(flow), channelArn }
    this.#observationsLeft = observationsMax
    if (!this.#cancelObservation) this.#observeLater()
    const pace = this.#admit(key) ?? (await this.#wait(key))
    try {
      return await work()
    } finally {
      this.#end(pace)
    }
  }

  /** Rejects what waits. */
  close(): void {
    this.#isClosed = true
    this.#cancelObservation?.()
    this.#cancelRest?.()
    this.#rejected.close()
    for (const send of this.#queued) {
      this.#leave(send)
      send.reject(stopping())
    }
  }

  /** The function of the flow for which most messages wait: the send is judged by it. */
  #busiestOf(flow: FlowSnapshot | undefined): string {
    let busiest = ''
    let most = -1
    for (const { Configuration } of flow?.processors ?? []) {
      const name = functionNameOf(Configuration.Lambda.ResourceArn)
      const { steps } = this.#parts.backlogOf(name)
      if (steps > most) [busiest, most] = [name, steps]
    }
    return busiest
  }

  /** Admits a send that need not wait. */
  #admit(key: SendKey): Pace | undefined {
    const pace =
      this.#queue.has(key.functionName) || this.#rejectionNow(key) ? undefined : this.#freePace(key.functionName)
    if (pace) this.#begin(pace)
    return pace
  }

  #wait(key: SendKey): Promise<Pace> {
    if (this.#queue.size >= queuedMax) throw this.#rejection(key, 'queue')
    return new Promise((begin, reject) => {
      const send = { ...key, queuedAt: this.#parts.clock.now(), begin, reject }
      this.#queue.add(send)
      this.#queued.add(send)
      this.#beginNext()
    })
  }

  /** At which pace a send for this function may begin now, if it is not held back. */
  #freePace(functionName: string): Pace | undefined {
    const pace = this.#parts.backlogOf(functionName).steps < backlogFrom ? 'prompt' : 'behind'
    return this.#begun[pace] < begunMax[pace] ? pace : undefined
  }

  #rejectionNow({ functionName, channelArn }: SendKey): SendRejection | undefined {
    const { waitingMax, backlogOf, backlogOfChannel } = this.#parts
    if (this.#lag.isTooLong) return 'event_loop'
    const { steps, channels } = backlogOf(functionName)
    if (steps >= waitingMax) return 'processor'
    if (steps === 0 || steps < waitingMax / 2) return undefined
    return backlogOfChannel(functionName, channelArn) < steps / channels ? undefined : 'channel'
  }

  #beginNext(): void {
    const isOpen = (functionName: string) => this.#freePace(functionName) !== undefined
    const mayBegin = (send: QueuedSend) => this.#rejectionNow(send) === undefined
    for (let next = this.#queue.take(isOpen, mayBegin); next; next = this.#queue.take(isOpen, mayBegin)) {
      this.#queued.delete(next)
      const pace = this.#freePace(next.functionName) as Pace
      this.#begin(pace)
      next.begin(pace)
    }
  }

  #begin(pace: Pace): void {
    this.#begun[pace] += 1
    if (pace === 'prompt') this.#promptAt = this.#parts.clock.now()
  }

  #end(pace: Pace): void {
    const { clock } = this.#parts
    if (pace === 'behind' && !this.#isClosed && Math.abs(clock.now() - this.#promptAt) < othersMs) {
      this.#resting += 1
      this.#cancelRest ??= clock.at(clock.now() + restMs, () => this.#endRest())
      return
    }
    this.#begun[pace] -= 1
    this.#beginNext()
  }

  #endRest(): void {
    this.#cancelRest = undefined
    this.#begun.behind -= this.#resting
    this.#resting = 0
    this.#beginNext()
  }

  #observeLater(): void {
    const { clock } = this.#parts
    const dueAt = clock.now() + observeEveryMs
    this.#cancelObservation = clock.at(dueAt, () => this.#observe(clock.now() - dueAt))
  }

  #observe(lateMs: number): void {
    this.#cancelObservation = undefined
    this.#observationsLeft -= 1
    this.#lag.observe(lateMs)
    this.#beginNext()
    this.#rejectHeld()
    if (this.#observationsLeft > 0 || this.#queued.size > 0) this.#observeLater()
    else this.#lag.observe(0)
  }

  #rejectHeld(): void {
    const now = this.#parts.clock.now()
    for (const send of this.#queued) {
      const waitedMs = now - send.queuedAt
      // Negative if the clock was set back: how long it has waited is unknown then.
      if (waitedMs >= 0 && waitedMs < heldMsMax) break
      const reason = this.#rejectionNow(send)
      if (!reason) continue
      this.#leave(send)
      send.reject(this.#rejection(send, reason))
    }
  }

  #leave(send: QueuedSend): void {
    this.#queue.remove(send)
    this.#queued.delete(send)
  }

  #rejection({ functionName }: SendKey, reason: SendRejection): Overloaded {
    this.#rejected.add(reason, functionName)
    return new Overloaded(messages[reason])
  }
}

const messages: Record<SendRejection, string> = {
  event_loop: 'The server is overloaded; try again',
  processor: "Too many messages wait for a processor of the channel's flow; try again",
  channel: "Too many messages of this channel wait for a processor of the channel's flow; try again",
  queue: 'Too many sends wait; try again',
}

const stopping = () => new Overloaded('The server is stopping; try again')
