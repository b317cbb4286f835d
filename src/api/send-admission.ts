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
 * Admission of sends: calls that finish messages have priority over calls that start them. Callbacks need no admission. A
 * send needs it after the check of its sender and before its first write; so does an update that a flow will hold.
 *
 *   - At most `begunMax.prompt` sends are in flight. On SQLite they share the commit at the end of this turn of the event
 *     loop, so a callback may have to wait for these sends.
 *   - A function with a backlog of `backlogFrom` messages does not need more of them soon. At most `begunMax.behind` sends
 *     for such functions are in flight, with a pause after each while there are other sends, which get the event loop.
 *   - Functions are served round-robin, and so are the channels of a function.
 *   - While the backlog of a function is `waitingMax`, or the event loop has lagged for a second, a send is held back for up
 *     to a second, and then rejected with 503. From half of `waitingMax` on, this also applies to the sends of a channel that
 *     has its share of the backlog, so that one channel does not exclude the others.
 *
 * A send that only waits for its permit is not rejected, and a rejected send has written nothing. While none waits, a send
 * costs a counter and a look-up in a map for each function of its flow. One timer serves all sends.
 */

/**
 * Maximum of sends in flight for functions without a backlog, and for functions with one. With 256 in flight and no flow, a
 * send took 6 % more processor time with a limit of 32 than without one, because of more commits, and 17 % more with 16.
 */
const begunMax = { prompt: 32, behind: 4 }
/**
 * The pause of a permit for functions with a backlog. The median of a prompt flow beside 64 senders to a backlog was 1.3
 * times that of the same flow alone, 1.9 times without the pause, and 47 times without permits (npm run bench -- overload).
 */
const restMs = 10
/** Permits only pause while there are prompt sends: if the last one began within this time. */
const othersMs = 1_000
/** With this backlog a function has enough work, even if sends are slow. */
const backlogFrom = 64
/** The time after which a send that is held back is rejected. */
const heldMsMax = 1_000
/** The lag of the event loop is observed until so many timers have fired since the last send. */
const observationsMax = 10
/** Maximum of sends that wait. A further one is rejected at once. */
const queuedMax = 4_096

type Pace = keyof typeof begunMax

interface AdmissionParts {
  /** Maximum of messages that wait for a function. */
  waitingMax: number
  /** The number of messages that wait for a place at a function, and the number of their channels. */
  backlogOf(functionName: string): { steps: number; channels: number }
  /** The number of the channel's messages among them. */
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

/** Admits sends one after the other, as the load allows. */
export class SendAdmission {
  readonly #parts: AdmissionParts
  readonly #queue = new SendQueue<QueuedSend>()
  /** The same sends, the longest waiting first. */
  readonly #queued = new Set<QueuedSend>()
  readonly #begun = { prompt: 0, behind: 0 }
  #promptAt = Number.NEGATIVE_INFINITY
  /** The number of pausing permits. */
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

  /** The number of sends that wait. */
  get queued(): number {
    return this.#queue.size
  }

  /** Does the work of a send when it is admitted. Throws Overloaded, without the work, if it is rejected. */
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

  /** Rejects all sends that wait. */
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

  /** The function of the flow with the largest backlog: it decides about the admission of the send. */
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

  /** The pace of which a send for this function may take a permit now; undefined if none is free. */
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
      // Negative if the clock was set back: then the waiting time is unknown.
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
