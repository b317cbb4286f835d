import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { ShortageKind } from './shortage.ts'

/** The names of processors come from callers who create flows. Beyond this many, they share the label `other`. */
export const processorLabelsMax = 100

/** From a call that reads one row to one that waits for a slow disk, in seconds. */
const requestBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const commitBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
/** A function may take minutes. */
const dispatchBuckets = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900]
const batchBuckets = [1, 2, 4, 8, 16, 32, 64, 128]

/** What waits for one processor. */
export interface Pending {
  processor: string
  messages: number
  oldestSeconds: number
}

/** Background work of one kind that is due. */
export interface DueWork {
  kind: string
  due: number
  oldestSeconds: number
}

/** Steps of one processor that this node has taken up. */
export interface StepCounts {
  processor: string
  /** For a free place at the processor. */
  waiting: number
  /** At the processor. */
  inFlight: number
}

/** Open connections to the API and the sessions. */
export interface ConnectionCounts {
  /** A signature was verified on them. */
  authenticated: number
  unauthenticated: number
}

/** Why a connection was closed before it had signed. */
export type ConnectionRejection = 'all' | 'address' | 'reserve' | 'timeout'

/** Why a send was rejected: see src/api/send-admission.ts. */
export type SendRejection = 'event_loop' | 'processor' | 'channel' | 'queue'

/** What a process has of messaging sessions, and has delivered to them since it was started. */
interface SessionCounts {
  sessions: number
  sockets: number
  deliveries: number
}

/** What is asked at each scrape. */
interface Sources {
  sessions(): SessionCounts
  /** The same on all nodes of a cluster, since they share the store. */
  pending(): Promise<Pending[]>
  work(): Promise<DueWork[]>
  logLag(): number
  isBusConnected(): boolean
  steps(): StepCounts[]
  connections(): ConnectionCounts
  sendsQueued(): number
}

/** `invalid`: it could never be accepted as it is, such as one with a text that is too long. */
export type CallbackResult =
  | 'allowed'
  | 'denied'
  | 'repeated'
  | 'not_pending'
  | 'conflict'
  | 'forbidden'
  | 'invalid'
  | 'failed'

/** A method that begins a measurement returns this function; calling it ends the measurement. */
type Ending<Outcome extends unknown[]> = (...outcome: Outcome) => void

/**
 * What a server counts and measures, for `/metrics` of its admin port. A registry of its own, so that two servers in one
 * process do not add up. Labels are bounded: names of operations, statuses, codes, and the first processors that come.
 * It costs half a microsecond a request.
 */
export class Metrics {
  readonly #registry = new Registry()
  readonly #processors = new Set<string>()
  #sources: Sources | undefined
  #scraping: Promise<string> | undefined

  readonly #requests = new Counter({
    name: 'carillon_requests_total',
    help: 'API calls by operation and HTTP status; aborted where the caller went away',
    labelNames: ['operation', 'status'],
    registers: [this.#registry],
  })
  readonly #requestSeconds = new Histogram({
    name: 'carillon_request_duration_seconds',
    help: 'From the headers of an API call to its answer',
    labelNames: ['operation'],
    buckets: requestBuckets,
    registers: [this.#registry],
  })
  readonly #commitChanges = new Histogram({
    name: 'carillon_commit_changes',
    help: 'Hot writes that shared one durable commit',
    buckets: batchBuckets,
    registers: [this.#registry],
  })
  readonly #commitSeconds = new Histogram({
    name: 'carillon_commit_duration_seconds',
    help: 'What one durable commit of hot writes took',
    buckets: commitBuckets,
    registers: [this.#registry],
  })
  readonly #dispatches = new Counter({
    name: 'carillon_dispatches_total',
    help: 'Events given to a processor target, by what became of it; deferred ones were no attempts',
    labelNames: ['processor', 'result'],
    registers: [this.#registry],
  })
  readonly #dispatchSeconds = new Histogram({
    name: 'carillon_dispatch_duration_seconds',
    help: 'What one attempt took at the processor, the work of a local function with it; no time in the queue',
    labelNames: ['processor'],
    buckets: dispatchBuckets,
    registers: [this.#registry],
  })
  readonly #callbacks = new Counter({
    name: 'carillon_callbacks_total',
    help: 'Verdicts that came by ChannelFlowCallback, by what became of them',
    labelNames: ['result'],
    registers: [this.#registry],
  })
  readonly #sessionRefusals = new Counter({
    name: 'carillon_session_refusals_total',
    help: 'Messaging sessions that were not let in, by HTTP status or close code',
    labelNames: ['code'],
    registers: [this.#registry],
  })
  readonly #sessionCloses = new Counter({
    name: 'carillon_session_closes_total',
    help: 'Sockets that ended, by close code',
    labelNames: ['code'],
    registers: [this.#registry],
  })
  readonly #sessions = new Gauge({
    name: 'carillon_sessions',
    help: 'Messaging sessions that are established',
    registers: [this.#registry],
  })
  readonly #sockets = new Gauge({
    name: 'carillon_session_sockets',
    help: 'Sockets of messaging sessions, with those that are opening or closing',
    registers: [this.#registry],
  })
  readonly #deliveries = new Counter({
    name: 'carillon_deliveries_total',
    help: 'Frames given to messaging sessions',
    registers: [this.#registry],
  })
  readonly #pendingMessages = new Gauge({
    name: 'carillon_pending_messages',
    help: 'Messages that wait for the verdict of this processor, the same on every node',
    labelNames: ['processor'],
    registers: [this.#registry],
  })
  readonly #oldestPendingSeconds = new Gauge({
    name: 'carillon_oldest_pending_seconds',
    help: 'For how long this processor has had the message that has waited longest for its verdict',
    labelNames: ['processor'],
    registers: [this.#registry],
  })
  readonly #pendingUnknown = new Gauge({
    name: 'carillon_pending_unknown',
    help: '1 if the store could not be asked what is pending',
    registers: [this.#registry],
  })
  readonly #workDue = new Gauge({
    name: 'carillon_work_due',
    help: 'Background work that is due and not done, the same on every node',
    labelNames: ['kind'],
    registers: [this.#registry],
  })
  readonly #oldestWorkSeconds = new Gauge({
    name: 'carillon_oldest_work_seconds',
    help: 'For how long the background work that has waited longest has been due',
    labelNames: ['kind'],
    registers: [this.#registry],
  })
  readonly #logLag = new Gauge({
    name: 'carillon_log_lag_events',
    help: 'Events in the logs of channels listened to here that are known of and not delivered yet',
    registers: [this.#registry],
  })

  readonly #busConnected = new Gauge({
    name: 'carillon_bus_connected',
    help: '1 if what happens here is told to the other nodes, 0 while NATS is away',
    registers: [this.#registry],
  })

  readonly #stepsWaiting = new Gauge({
    name: 'carillon_steps_waiting',
    help: 'Steps on this node that wait in memory for a free place at their processor',
    labelNames: ['processor'],
    registers: [this.#registry],
  })
  readonly #stepsInFlight = new Gauge({
    name: 'carillon_steps_in_flight',
    help: 'Steps of this node that are at their processor',
    labelNames: ['processor'],
    registers: [this.#registry],
  })
  readonly #runs = new Counter({
    name: 'carillon_runs_total',
    help: 'Channel flow runs that ended on this node, by their outcome',
    labelNames: ['outcome'],
    registers: [this.#registry],
  })
  readonly #shortages = new Counter({
    name: 'carillon_shortages_total',
    help: 'Times that the server itself lacked something; the work is retried and no processor is blamed',
    labelNames: ['kind'],
    registers: [this.#registry],
  })
  readonly #connections = new Gauge({
    name: 'carillon_connections',
    help: 'Open connections to the API and the sessions, by whether a signature was verified on them',
    labelNames: ['state'],
    registers: [this.#registry],
  })
  readonly #connectionsRejected = new Counter({
    name: 'carillon_connections_rejected_total',
    help: 'Connections closed before they had signed, by the limit that they met',
    labelNames: ['limit'],
    registers: [this.#registry],
  })

  readonly #sendsQueued = new Gauge({
    name: 'carillon_sends_queued',
    help: 'Sends on this node that wait to be begun',
    registers: [this.#registry],
  })
  readonly #sendsRejected = new Counter({
    name: 'carillon_sends_rejected_total',
    help: 'Sends rejected with 503 because of overload, by its kind',
    labelNames: ['reason'],
    registers: [this.#registry],
  })

  beginRequest(): Ending<[operation: string | undefined, status: number | 'aborted']> {
    const end = this.#requestSeconds.startTimer()
    return (operation = 'none', status) => {
      end({ operation })
      this.#requests.inc({ operation, status })
    }
  }

  /** `changes`: how many hot writes share the commit. */
  beginCommit(changes: number): Ending<[]> {
    this.#commitChanges.observe(changes)
    return this.#commitSeconds.startTimer()
  }

  beginDispatch(functionName: string): Ending<[result: string]> {
    const processor = this.#processorLabel(functionName)
    const end = this.#dispatchSeconds.startTimer({ processor })
    return (result) => {
      if (result !== 'deferred') end()
      this.#dispatches.inc({ processor, result })
    }
  }

  countCallback(result: CallbackResult): void {
    this.#callbacks.inc({ result })
  }

  countRun(outcome: 'SENT' | 'DENIED' | 'FAILED'): void {
    this.#runs.inc({ outcome })
  }

  countShortage(kind: ShortageKind): void {
    this.#shortages.inc({ kind })
  }

  countConnectionRejection(limit: ConnectionRejection): void {
    this.#connectionsRejected.inc({ limit })
  }

  countSendRejection(reason: SendRejection): void {
    this.#sendsRejected.inc({ reason })
  }

  countSessionRefusal(code: number): void {
    this.#sessionRefusals.inc({ code })
  }

  /** Peers may close with any code of their own. */
  countSessionClose(code: number): void {
    this.#sessionCloses.inc({ code: code < 3000 || [4002, 4003, 4401].includes(code) ? code : 'other' })
  }

  /** Where the gauges are read from, at each scrape. */
  readFrom(sources: Sources): void {
    this.#sources = sources
  }

  /** Processor time, memory, event loop and garbage collection of the process. Call it once: they cannot be removed. */
  measureProcess(): void {
    collectDefaultMetrics({ register: this.#registry })
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  /** The text for Prometheus. Who asks while it is being made gets the same one. */
  text(): Promise<string> {
    this.#scraping ??= this.#scrape().finally(() => {
      this.#scraping = undefined
    })
    return this.#scraping
  }

  async #scrape(): Promise<string> {
    if (this.#sources) {
      this.#showSessions(this.#sources.sessions())
      this.#logLag.set(this.#sources.logLag())
      this.#busConnected.set(this.#sources.isBusConnected() ? 1 : 0)
      this.#showSteps(this.#sources.steps())
      this.#showConnections(this.#sources.connections())
      this.#sendsQueued.set(this.#sources.sendsQueued())
      const [pending, work] = await Promise.all([
        this.#sources.pending().catch(() => undefined),
        this.#sources.work().catch(() => undefined),
      ])
      this.#pendingUnknown.set(pending && work ? 0 : 1)
      this.#showPending(pending ?? [])
      this.#showWork(work ?? [])
    }
    return this.#registry.metrics()
  }

  #showSessions({ sessions, sockets, deliveries }: SessionCounts): void {
    this.#sessions.set(sessions)
    this.#sockets.set(sockets)
    this.#deliveries.reset()
    this.#deliveries.inc(deliveries)
  }

  #showSteps(counts: StepCounts[]): void {
    for (const gauge of [this.#stepsWaiting, this.#stepsInFlight]) gauge.reset()
    for (const { processor: name, waiting, inFlight } of counts) {
      const processor = this.#processorLabel(name)
      this.#stepsWaiting.inc({ processor }, waiting)
      this.#stepsInFlight.inc({ processor }, inFlight)
    }
  }

  #showConnections({ authenticated, unauthenticated }: ConnectionCounts): void {
    this.#connections.set({ state: 'authenticated' }, authenticated)
    this.#connections.set({ state: 'unauthenticated' }, unauthenticated)
  }

  #showPending(pending: Pending[]): void {
    for (const gauge of [this.#pendingMessages, this.#oldestPendingSeconds]) gauge.reset()
    for (const { processor, messages, oldestSeconds } of pending) {
      this.#pendingMessages.set({ processor }, messages)
      this.#oldestPendingSeconds.set({ processor }, oldestSeconds)
    }
  }

  #showWork(work: DueWork[]): void {
    for (const gauge of [this.#workDue, this.#oldestWorkSeconds]) gauge.reset()
    for (const { kind, due, oldestSeconds } of work) {
      this.#workDue.set({ kind }, due)
      this.#oldestWorkSeconds.set({ kind }, oldestSeconds)
    }
  }

  #processorLabel(functionName: string): string {
    if (this.#processors.has(functionName)) return functionName
    if (this.#processors.size >= processorLabelsMax) return 'other'
    this.#processors.add(functionName)
    return functionName
  }
}
