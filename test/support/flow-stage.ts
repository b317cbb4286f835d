import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import { FlowEngine } from '../../src/flow/engine.ts'
import { reportRuns } from '../../src/flow/run-report.ts'
import type { QueueLimits } from '../../src/flow/step-queue.ts'
import type { ProcessorEvent } from '../../src/processor/processor-event.ts'
import type { HandOff, ProcessorTarget } from '../../src/processor/target.ts'
import { type Log, silentLog } from '../../src/runtime/log.ts'
import { type ShortageKind, Shortages } from '../../src/runtime/shortage.ts'
import type { MessageText, StepRow } from '../../src/store/tables.ts'
import { ManualClock } from './manual-clock.ts'
import { awsLocation, heldMessage, node, openChannel, readJob, verdictOn } from './rows.ts'
import { createStoreFile, type StoreFile } from './store-file.ts'
import { WatchedStore } from './watched-store.ts'

/** One event in flight at a processor, until the test decides its outcome. */
export interface Attempt {
  functionName: string
  callbackId: string
  event: ProcessorEvent
  /** When it was handed to the target. */
  at: number
  handOver(): void
  end(handOff: HandOff): Promise<void>
  /** Acts as a target that breaks its promise never to reject. */
  fail(error: Error): Promise<void>
}

interface StageOptions {
  /** Places of each function. */
  inFlightMax?: number
  queueLimits?: QueueLimits
}

/** The flow engine on a real store, with processors and a clock that the test controls. */
export class FlowStage {
  readonly clock = new ManualClock(0)
  readonly #options: StageOptions
  /** Every attempt since the engine was started, in order. */
  attempts: Attempt[] = []
  events: string[] = []
  warnings: object[] = []
  errors: object[] = []
  infos: object[] = []
  /** The outcomes of the runs that were counted. */
  runs: string[] = []
  shortages: ShortageKind[] = []
  /** Called for each attempt, for a test with processors that act by themselves. */
  onAttempt: (attempt: Attempt) => void = () => {}
  store!: WatchedStore
  #engine!: FlowEngine
  #inFlight = new Map<string, number>()
  #file: StoreFile

  constructor(file: StoreFile, options: StageOptions) {
    this.#file = file
    this.#options = options
  }

  get counts() {
    return this.#engine.counts
  }

  backlogOf(functionName: string, channelArn: string) {
    const { backlogs } = this.#engine
    return { ...backlogs.backlogOf(functionName), ofChannel: backlogs.backlogOfChannel(functionName, channelArn) }
  }

  /** Starts the engine on the data in the file: at first, or after `stop`. */
  async start(): Promise<void> {
    this.attempts = []
    this.#inFlight.clear()
    this.store = new WatchedStore(await this.#file.open())
    this.store.onCommit(({ events }) => this.events.push(...events.map(({ eventType }) => eventType)))
    const { store, clock } = this
    const log: Log = {
      ...silentLog,
      info: (fields, text) => this.infos.push({ ...fields, text }),
      warn: (fields, text) => this.warnings.push({ ...fields, text }),
      error: (fields, text) => this.errors.push({ ...fields, text }),
    }
    const target = this.#processors()
    const { queueLimits } = this.#options
    this.#engine = new FlowEngine({
      store,
      target,
      node,
      location: awsLocation,
      clock,
      log,
      shortages: new Shortages({ clock, log, count: (kind) => this.shortages.push(kind) }),
      newId: randomUUID,
      random: () => 0,
      ...(queueLimits && { queueLimits }),
    })
    reportRuns({ store, log, metrics: { countRun: (outcome) => this.runs.push(outcome) } })
    await this.#engine.start()
    await this.quiet()
  }

  async stop(): Promise<void> {
    await this.#engine.close()
  }

  /** Accepts a message that a flow holds, and returns the CallbackId of its first step. */
  async send(...[given, list, options]: Parameters<typeof heldMessage>): Promise<string> {
    const held = heldMessage({ created_at: this.clock.now(), ...given }, list, options)
    await this.store.commit(held)
    await this.quiet()
    return held.flow.step.callback_id
  }

  /** Commits the verdict as ChannelFlowCallback does. */
  async callback(...verdict: Parameters<FlowStage['decide']>): Promise<void> {
    await this.decide(...verdict)
    await this.quiet()
  }

  /** The same for a processor that acts by itself while time passes. */
  async decide(callbackId: string, verdict: { deny?: boolean; text?: Partial<MessageText> } = {}): Promise<void> {
    const job = await readJob(this.store.read, callbackId)
    assert.deepEqual(await this.store.commit(verdictOn(job, verdict, this.clock.now())), { result: 'decided' })
  }

  /** Lets time pass; each timer fires at its own time. */
  async pass(byMs: number): Promise<void> {
    const untilMs = this.clock.now() + byMs
    for (let next = this.clock.nextAlarmMs; next !== undefined && next <= untilMs; next = this.clock.nextAlarmMs) {
      this.clock.advance(next - this.clock.now())
      await this.quiet()
    }
    this.clock.advance(untilMs - this.clock.now())
  }

  /** Resolves when the engine only waits for a processor, a verdict, or the clock. */
  async quiet(): Promise<void> {
    // A read may follow a write, and vice versa.
    for (let idleTurns = 0; idleTurns < 3; idleTurns += 1) {
      await new Promise(setImmediate)
      const isRinging = (this.clock.nextAlarmMs ?? Number.POSITIVE_INFINITY) <= this.clock.now()
      if (this.store.pending > 0 || isRinging) idleTurns = -1
    }
  }

  async step(callbackId: string): Promise<StepRow> {
    return (await readJob(this.store.read, callbackId)).step
  }

  #processors(): ProcessorTarget {
    return {
      freePlaces: (functionName) => (this.#options.inFlightMax ?? 4) - (this.#inFlight.get(functionName) ?? 0),
      onFreePlace: () => {},
      invoke: (functionName, _functionArn, event, handOver) => {
        const ended = Promise.withResolvers<HandOff>()
        const count = (calls: number) =>
          this.#inFlight.set(functionName, (this.#inFlight.get(functionName) ?? 0) + calls)
        count(1)
        const end = (handOff: HandOff) => {
          count(-1)
          ended.resolve(handOff)
          return this.quiet()
        }
        const fail = (error: Error) => {
          count(-1)
          ended.reject(error)
          return this.quiet()
        }
        const about = { functionName, callbackId: event.CallbackId, event, at: this.clock.now() }
        const attempt: Attempt = { ...about, handOver, end, fail }
        this.attempts.push(attempt)
        this.onAttempt(attempt)
        return ended.promise
      },
      close: async () => {},
    }
  }
}

export async function openStage(context: TestContext, options: StageOptions = {}): Promise<FlowStage> {
  const file = await createStoreFile(context)
  await openChannel(await file.open())
  const stage = new FlowStage(file, options)
  await stage.start()
  return stage
}
