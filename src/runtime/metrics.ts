import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { ShortageKind } from './shortage.ts'

/** The callers that create flows choose the names of processors. Further names share the label `other`. */
export const processorLabelsMax = 100

/** From a call that reads one row to one that waits for a slow disk, in seconds. */
const requestBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const commitBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
/** A function may take minutes. */
const dispatchBuckets = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900]
const batchBuckets = [1, 2, 4, 8, 16, 32, 64, 128]

/** The backlog of one processor. */
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

/** The steps of one processor in the memory of this node. */
export interface StepCounts {
  processor: string
  /** Steps that wait for a free place at the processor. */
  waiting: number
  /** Steps at the processor. */
  inFlight: number
}

/** Open connections to the API and the sessions. */
export interface ConnectionCounts {
  /** Connections on which a signature was verified. */
  authenticated: number
  unauthenticated: number
}

/** Why an unauthenticated connection was closed. */
export type ConnectionRejection = 'all' | 'address' | 'reserve' | 'timeout'

/** Why a send was rejected: see src/api/send-admission.ts. */
export type SendRejection = 'event_loop' | 'processor' | 'channel' | 'queue'

/** The messaging sessions of a process, and its deliveries since it was started. */
interface SessionCounts {
  sessions: number
  sockets: number
  deliveries: number
}

/** The values that are read at each scrape. */
interface Sources {
  sessions(): SessionCounts
  /** The same on all nodes of a cluster, because they share the store. */
  pending(): Promise<Pending[]>
  work(): Promise<DueWork[]>
  logLag(): number
  isBusConnected(): boolean
  steps(): StepCounts[]
  connections(): ConnectionCounts
  sendsQueued(): number
}

/** `invalid`: a callback that can never be accepted, such as one with a text that is too long. */
export type CallbackResult =
  | 'allowed'
  | 'denied'
  | 'repeated'
  | 'not_pending'
  | 'conflict'
  | 'forbidden'
  | 'invalid'
  | 'failed'

/** Starts a timer; the returned function stops it. */
type StopTimer<Outcome extends unknown[]> = (...outcome: Outcome) => void

/**
 * The counters and measurements of a server, for `/metrics` of its admin port. It has its own registry, so that two
 * servers in one process do not add up. Labels are bounded: names of operations, statuses, codes, and the first
 * processors. The cost is half a microsecond a request.
 */
export class Metrics {
  readonly #registry = new Registry()
  readonly #processors = new Set<string>()
  #sources: Sources | undefined
  #scraping: Promise<string> | undefined

  readonly #requests = new Counter({
    name: 'carillon_requests_total',
    help: 'API calls by operation and HTTP status; aborted if the caller closed the connection',
    labelNames: ['operation', 'status'],
    registers: [this.#registry],
  })
  readonly #requestSeconds = new Histogram({
    name: 'carillon_request_duration_seconds',
    help: 'Time from the headers of an API call to its response',
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
    help: 'Duration of one durable commit of hot writes',
    buckets: commitBuckets,
    registers: [this.#registry],
  })
  readonly #dispatches = new Counter({
    name: 'carillon_dispatches_total',
    help: 'Hand-offs of events to a processor target, by result; deferred ones are not attempts',
    labelNames: ['processor', 'result'],
    registers: [this.#registry],
  })
  readonly #dispatchSeconds = new Histogram({
    name: 'carillon_dispatch_duration_seconds',
    help: 'Duration of one attempt at the processor, including the work of a local function, without time in the queue',
    labelNames: ['processor'],
    buckets: dispatchBuckets,
    registers: [this.#registry],
  })
  readonly #callbacks = new Counter({
    name: 'carillon_callbacks_total',
    help: 'Verdicts received by ChannelFlowCallback, by result',
    labelNames: ['result'],
    registers: [this.#registry],
  })
  readonly #sessionRefusals = new Counter({
    name: 'carillon_session_refusals_total',
    help: 'Messaging sessions that were rejected, by HTTP status or close code',
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
    help: 'Sockets of messaging sessions, including those that are opening or closing',
    registers: [this.#registry],
  })
  readonly #deliveries = new Counter({
    name: 'carillon_deliveries_total',
    help: 'Frames sent to messaging sessions',
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
    help: 'Age of the message that has waited longest for a verdict of this processor',
    labelNames: ['processor'],
    registers: [this.#registry],
  })
  readonly #pendingUnknown = new Gauge({
    name: 'carillon_pending_unknown',
    help: '1 if the backlog could not be read from the store',
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
    help: 'Known events of the channels of this node that are not delivered yet',
    registers: [this.#registry],
  })
  readonly #busConnected = new Gauge({
    name: 'carillon_bus_connected',
    help: '1 if this node is connected to the other nodes, 0 while NATS is away',
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
    help: 'Steps of this node that are in flight at their processor',
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
    help: 'Shortages of the server itself; the work is retried, and it counts as no failure of a processor',
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
    help: 'Unauthenticated connections that were closed, by limit',
    labelNames: ['limit'],
    registers: [this.#registry],
  })
  readonly #creds = new Counter({
    name: 'carillon_creds_total',
    help: 'Calls of /creds, by outcome',
    labelNames: ['outcome'],
    registers: [this.#registry],
  })
  readonly #sendsQueued = new Gauge({
    name: 'carillon_sends_queued',
    help: 'Queued sends on this node',
    registers: [this.#registry],
  })
  readonly #sendsRejected = new Counter({
    name: 'carillon_sends_rejected_total',
    help: 'Sends rejected with 503 because of overload, by reason',
    labelNames: ['reason'],
    registers: [this.#registry],
  })

  beginRequest(): StopTimer<[operation: string | undefined, status: number | 'aborted']> {
    const end = this.#requestSeconds.startTimer()
    return (operation = 'none', status) => {
      end({ operation })
      this.#requests.inc({ operation, status })
    }
  }

  /** `changes`: the number of hot writes in the commit. */
  beginCommit(changes: number): StopTimer<[]> {
    this.#commitChanges.observe(changes)
    return this.#commitSeconds.startTimer()
  }

  beginDispatch(functionName: string): StopTimer<[result: string]> {
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

  countCreds(outcome: string): void {
    this.#creds.inc({ outcome })
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

  /** Peers may choose any close code. */
  countSessionClose(code: number): void {
    this.#sessionCloses.inc({ code: code < 3000 || [4002, 4003, 4401].includes(code) ? code : 'other' })
  }

  /** The sources of the gauges, read at each scrape. */
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

  /** The text for Prometheus. Requests at the same time share one text. */
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
