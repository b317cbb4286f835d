import { type Bench, measureSeconds, type Version } from './bench.ts'
import type { Figures } from './figures.ts'
import type { FrontCalls } from './floor.ts'
import type { Backing, Peer } from './peers/peer.ts'
import type { FlowResult, Lane } from './programs/flow-load.ts'
import type { LoadCalls } from './programs/load.ts'
import type { PlainSessionsCalls } from './programs/plain-sessions.ts'
import type { ProcessorCalls } from './programs/processor.ts'
import { type CarillonOptions, CarillonProcess, mainOf } from './system/carillon.ts'
import { readMetrics } from './system/metrics.ts'
import { type CpuTime, cpuTimeOf, writtenBytesOf } from './system/process-tree.ts'
import { Program } from './system/program.ts'

const program = (name: string) => new URL(`programs/${name}.ts`, import.meta.url)

/** Connections of `ws` and nothing else. */
export const startPlain = ({ janitor }: Bench, flags: string[] = []) =>
  new Program<PlainSessionsCalls>(program('plain-sessions'), janitor, flags)
export const startLoad = ({ janitor }: Bench) => new Program<LoadCalls>(program('load'), janitor)
const startProcessor = ({ janitor }: Bench) => new Program<ProcessorCalls>(program('processor'), janitor)

/** The counters of a server so far. */
interface ServerCounters {
  cpu: CpuTime
  writtenBytes: number
  /** Hot writes and the commits that they shared, if the server counts them. */
  writes?: number
  commits?: number
  databaseCpu?: CpuTime
  transactions?: number
}

/** A server with its counters. */
interface Measured {
  url: string
  /** `when`: before or after the measurement. */
  count(when: When): Promise<ServerCounters>
}

export type When = 'before' | 'after'

/** A server, its processors and its clients, each in a process of its own. */
export class Rig {
  readonly url: string
  readonly load: Program<LoadCalls>
  readonly processor: Program<ProcessorCalls>
  readonly #server: Measured
  readonly #parts: AsyncDisposableStack

  constructor(
    parts: AsyncDisposableStack,
    server: Measured,
    load: Program<LoadCalls>,
    processor: Program<ProcessorCalls>,
  ) {
    this.#parts = parts
    this.#server = server
    this.url = server.url
    this.load = load
    this.processor = processor
  }

  openFlows(lanes: Lane[], kind: 'STANDARD' | 'CONTROL' = 'STANDARD'): Promise<void> {
    return this.load.call('openFlows', { url: this.url, lanes, kind })
  }

  /**
   * Runs flows for so many seconds and returns their durations. All started flows have ended when the counters are
   * read, so none is counted in part.
   */
  async measureFlows(inFlight: number, seconds: number): Promise<{ figures: Figures; flows: number }> {
    const before = await this.#count('before')
    const result = await this.load.call('runFlows', { inFlight, seconds })
    return { figures: figuresOf(result, before, await this.#count('after')), flows: result.flows }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#parts.disposeAsync()
  }

  async #count(when: When) {
    const server = await this.#server.count(when)
    return { server, load: cpuTimeOf(this.load.pid), processor: cpuTimeOf(this.processor.pid) }
  }
}

interface AllCounters {
  server: ServerCounters
  load: CpuTime
  processor: CpuTime
}

const total = ({ own, children }: CpuTime) => own + children

function figuresOf(
  { flows, flowsPerSecond, p50Ms, p99Ms }: FlowResult,
  before: AllCounters,
  after: AllCounters,
): Figures {
  const [first, last] = [before.server, after.server]
  const perFlow = (from = 0, to = 0) => (to - from) / flows
  return {
    'flows/s': flowsPerSecond,
    'server µs': perFlow(first.cpu.own, last.cpu.own),
    ...(last.cpu.children > 0 && { 'children µs': perFlow(first.cpu.children, last.cpu.children) }),
    ...(first.databaseCpu &&
      last.databaseCpu && { 'database µs': perFlow(total(first.databaseCpu), total(last.databaseCpu)) }),
    'processor µs': perFlow(before.processor.own, after.processor.own),
    'load µs': perFlow(before.load.own, after.load.own),
    ...(last.commits !== undefined && {
      'writes/commit': ((last.writes ?? 0) - (first.writes ?? 0)) / (last.commits - (first.commits ?? 0)),
      'commits/flow': perFlow(first.commits, last.commits),
    }),
    ...(last.transactions !== undefined
      ? { 'transactions/flow': perFlow(first.transactions, last.transactions) }
      : { 'KB written/flow': perFlow(first.writtenBytes, last.writtenBytes) / 1024 }),
    'p50 ms': p50Ms,
    'p99 ms': p99Ms,
  }
}

export interface RigOptions extends Partial<Omit<CarillonOptions, 'main' | 'databaseUrl'>> {
  onPostgres?: boolean
  /** Whether transactions are counted exactly, which takes ten seconds each time. */
  exactTransactions?: boolean
}

/** Starts a version of Carillon with everything around it. */
export async function startCarillon(bench: Bench, version: Version, options: RigOptions = {}): Promise<Rig> {
  await using stack = new AsyncDisposableStack()
  const { scratch, janitor, profileFolder } = bench
  const dataDir = options.dataDir ?? scratch.folder('data')
  if (options.dataDir === undefined) stack.defer(() => scratch.remove(dataDir))
  const database = options.onPostgres ? await bench.database() : undefined
  const databaseUrl = await database?.create()
  if (database && databaseUrl !== undefined) stack.defer(() => database.drop(databaseUrl))
  const processor = stack.use(startProcessor(bench))
  const server = stack.use(
    await CarillonProcess.start(
      {
        main: mainOf(version),
        lambdaEndpoint: await processor.call('listen', undefined),
        profileFolder,
        ...options,
        dataDir,
        ...(databaseUrl !== undefined && { databaseUrl }),
      },
      janitor,
    ),
  )
  const { http: url, admin = '' } = server.endpoint
  await processor.call('serve', { url })
  const load = stack.use(startLoad(bench))
  const use = async (): Promise<ServerCounters> => {
    const metrics = await readMetrics(admin)
    return {
      writes: metrics.get('carillon_commit_changes_sum') ?? 0,
      commits: metrics.get('carillon_commit_changes_count') ?? 0,
      cpu: cpuTimeOf(server.pid),
      writtenBytes: writtenBytesOf(server.pid),
      ...(database && { databaseCpu: database.cpuTime() }),
    }
  }
  const exact = options.exactTransactions ?? false
  const count = async (when: When): Promise<ServerCounters> => {
    if (!database || databaseUrl === undefined) return use()
    const transactions = () => database.transactions(databaseUrl, exact && when)
    // Counting transactions may wait for seconds, whose processor time is no flow's.
    if (when === 'before') return { transactions: await transactions(), ...(await use()) }
    return { ...(await use()), transactions: await transactions() }
  }
  return new Rig(stack.move(), { url, count }, load, processor)
}

/** Starts the floor with the same clients and processors around it. */
export async function startFloor(bench: Bench): Promise<Rig> {
  return startFront(bench, new URL('floor.ts', import.meta.url))
}

/** The same, with a front in front of a peer. `packages` is the folder of the peer's installed packages. */
export async function startPeer(bench: Bench, peer: Peer, packages: string): Promise<Rig> {
  return startFront(bench, peer.front, (folder) => peer.start(packages, folder, bench.janitor))
}

async function startFront(
  bench: Bench,
  script: URL,
  startBacking?: (folder: string) => Promise<Backing>,
): Promise<Rig> {
  await using stack = new AsyncDisposableStack()
  const { scratch, janitor } = bench
  const folder = scratch.folder('front')
  stack.defer(() => scratch.remove(folder))
  const processor = stack.use(startProcessor(bench))
  const backing = await startBacking?.(folder)
  if (backing) stack.use(backing)
  const front = stack.use(new Program<FrontCalls>(script, janitor))
  const processorUrl = await processor.call('listen', undefined)
  const url = await front.call('start', { folder, processorUrl, ...backing?.input })
  await processor.call('serve', { url })
  const load = stack.use(startLoad(bench))
  const count = async () => ({
    cpu: cpuTimeOf(front.pid),
    writtenBytes: writtenBytesOf(front.pid) + (backing ? writtenBytesOf(backing.pid) : 0),
    ...(backing && { databaseCpu: cpuTimeOf(backing.pid) }),
  })
  return new Rig(stack.move(), { url, count }, load, processor)
}

/** Runs flows until code is compiled and caches are warm. Returns the number of flows. */
export async function warmUp(bench: Bench, { load }: Rig, inFlight = 32): Promise<number> {
  const seconds = bench.options.quick ? 0.3 : Math.max(1, measureSeconds(bench) / 2)
  return (await load.call('runFlows', { inFlight, seconds })).flows
}

/** Starts connections of `ws` as a rig, to which a message is a POST that goes to all of them. */
export async function startPlainSessions(bench: Bench): Promise<Rig> {
  await using stack = new AsyncDisposableStack()
  const plain = stack.use(startPlain(bench))
  const { url } = await plain.call('listen', { tls: false })
  const load = stack.use(startLoad(bench))
  const processor = stack.use(startProcessor(bench))
  const count = async () => ({ cpu: cpuTimeOf(plain.pid), writtenBytes: writtenBytesOf(plain.pid) })
  return new Rig(stack.move(), { url, count }, load, processor)
}
