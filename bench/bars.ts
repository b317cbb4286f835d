import { type Spread, spreadOf } from './figures.ts'
import { channelsCase, channelsSizes } from './parts/channels.ts'
import { fanoutCase, fanoutSizes } from './parts/fanout.ts'
import { floorSetup, flowCase, localSetup, setupName } from './parts/flow.ts'
import { historyCase, historySizes } from './parts/history.ts'
import { overloadCases } from './parts/overload.ts'
import { pendingCase, pendingSizes, restartCase } from './parts/pending.ts'
import { sessionsCase } from './parts/sessions.ts'
import { startCase } from './parts/start.ts'
import type { RunRecord } from './record.ts'

/** A bar that a run must reach, and a wish beyond it. */
export interface Bar {
  what: string
  /** The limit: less, or more, is short of the bar. */
  limit: 'at least' | 'at most'
  bar: number
  wish: number
  /** Empty if the run has not measured it. */
  measured(run: MeasuredRun): number[]
}

/** The figures of a run, round by round. */
class MeasuredRun {
  readonly #record: RunRecord

  constructor(record: RunRecord) {
    this.#record = record
  }

  get options() {
    return this.#record.options
  }

  values(part: string, name: string, figure: string): number[] {
    return this.#record.parts[part]?.[name]?.[figure]?.values ?? []
  }
}

/** Taken within each round, in which both were measured one after the other. */
const ratios = (values: number[], to: number[]): number[] =>
  values.slice(0, to.length).map((value, round) => value / (to[round] as number))

const sums = (values: number[], others: number[]): number[] =>
  values.slice(0, others.length).map((value, round) => value + (others[round] as number))

const worst = (all: number[][]): number[] =>
  (all[0] ?? []).map((_, round) => Math.max(...all.map((one) => one[round] ?? 0)))

const onSqlite = setupName('SQLite', 1)
const onPostgres = setupName('PostgreSQL', 1)

const flowValues = (run: MeasuredRun, setup: string, inFlight: number, figure: string) =>
  run.values('flow', flowCase(setup, inFlight), figure)

const againstFloor = (inFlight: number, figure: string) => (run: MeasuredRun) =>
  ratios(flowValues(run, onSqlite, inFlight, figure), flowValues(run, floorSetup, inFlight, figure))

const cpuAgainst = (setup: string, other: string) => (run: MeasuredRun) =>
  ratios(flowValues(run, setup, 32, 'server µs'), flowValues(run, other, 32, 'server µs'))

const deliveriesAgainst = (name: string) => (run: MeasuredRun) => {
  const sessions = fanoutSizes(run).at(-1) as number
  const deliveries = (subject: string) => run.values('fanout', fanoutCase(subject, sessions), 'deliveries/s')
  return ratios(deliveries(name), deliveries('ws.send'))
}

const memoryAgainst = (protocol: 'ws' | 'wss') => (run: MeasuredRun) => {
  const memory = (subject: string) => run.values('sessions', sessionsCase(subject, protocol), 'KB/session')
  return ratios(memory('session'), memory('bare connection'))
}

const flowBars: Bar[] = [
  ...[32, 256].map(
    (inFlight): Bar => ({
      what: `flows/s against the floor, one processor, ${inFlight} in flight`,
      limit: 'at least',
      bar: 0.4,
      wish: 0.6,
      measured: againstFloor(inFlight, 'flows/s'),
    }),
  ),
  ...[32, 256].map(
    (inFlight): Bar => ({
      what: `server CPU per flow against the floor's, ${inFlight} in flight`,
      limit: 'at most',
      bar: 3,
      wish: 2,
      measured: againstFloor(inFlight, 'server µs'),
    }),
  ),
  {
    what: 'server CPU at 1 in flight against the floor',
    limit: 'at most',
    bar: 2.5,
    wish: 1.8,
    measured: againstFloor(1, 'server µs'),
  },
  {
    what: 'local function, 32 in flight: server CPU against the endpoint path',
    limit: 'at most',
    bar: 1.3,
    wish: 1.1,
    measured: cpuAgainst(localSetup, onSqlite),
  },
  {
    what: 'three processors, 32 in flight: server CPU against one',
    limit: 'at most',
    bar: 2.2,
    wish: 1.9,
    measured: cpuAgainst(setupName('SQLite', 3), onSqlite),
  },
  {
    what: 'writes a commit, 32 in flight',
    limit: 'at least',
    bar: 16,
    wish: 24,
    measured: (run) => flowValues(run, onSqlite, 32, 'writes/commit'),
  },
  {
    what: 'KB written to the disk a flow, 32 in flight',
    limit: 'at most',
    bar: 40,
    wish: 20,
    measured: (run) => flowValues(run, onSqlite, 32, 'KB written/flow'),
  },
  {
    what: 'PostgreSQL, 32 in flight: server and database CPU against SQLite',
    limit: 'at most',
    bar: 2,
    wish: 1.3,
    measured: (run) => {
      const both = sums(flowValues(run, onPostgres, 32, 'server µs'), flowValues(run, onPostgres, 32, 'database µs'))
      return ratios(both, flowValues(run, onSqlite, 32, 'server µs'))
    },
  },
  {
    what: 'PostgreSQL: transactions a message, 32 in flight',
    limit: 'at most',
    bar: 4,
    wish: 3,
    measured: (run) => flowValues(run, onPostgres, 32, 'transactions/flow'),
  },
  {
    what: 'PostgreSQL: transactions a message, 1 in flight',
    limit: 'at most',
    bar: 6,
    wish: 6,
    measured: (run) => flowValues(run, onPostgres, 1, 'transactions/flow'),
  },
]

const sessionBars: Bar[] = [
  {
    what: 'deliveries/s to 1,000 sessions against ws.send: stored',
    limit: 'at least',
    bar: 3,
    wish: 5,
    measured: deliveriesAgainst('stored'),
  },
  {
    what: 'deliveries/s to 1,000 sessions against ws.send: CONTROL',
    limit: 'at least',
    bar: 2.5,
    wish: 4,
    measured: deliveriesAgainst('CONTROL'),
  },
  {
    what: 'memory of an idle session against a bare connection: ws',
    limit: 'at most',
    bar: 1.4,
    wish: 1.2,
    measured: memoryAgainst('ws'),
  },
  {
    what: 'memory of an idle session against a bare connection: wss',
    limit: 'at most',
    bar: 1.15,
    wish: 1.1,
    measured: memoryAgainst('wss'),
  },
]

const sizeBars: Bar[] = [
  {
    what: 'list of 50 in 1,000,000 messages against 1,000: server CPU, the worst of three places',
    limit: 'at most',
    bar: 1.2,
    wish: 1.05,
    measured: (run) => {
      const [short = 0, long = 0] = historySizes(run)
      const cpu = (position: 'newest' | 'middle' | 'oldest', messages: number) =>
        run.values('history', historyCase(position, messages), 'server µs')
      return worst(
        (['newest', 'middle', 'oldest'] as const).map((place) => ratios(cpu(place, long), cpu(place, short))),
      )
    },
  },
  {
    what: 'flows/s with 100,000 channels against 10',
    limit: 'at least',
    bar: 0.75,
    wish: 0.9,
    measured: (run) => {
      const [few = 0, many = 0] = channelsSizes(run)
      const rate = (count: number) => run.values('channels', channelsCase(count), 'flows/s')
      return ratios(rate(many), rate(few))
    },
  },
  {
    what: '100,000 held messages against 100: server CPU of a flow',
    limit: 'at most',
    bar: 1.2,
    wish: 1.05,
    measured: (run) => {
      const [few = 0, many = 0] = pendingSizes(run)
      const cpu = (count: number) => run.values('pending', pendingCase(count), 'server µs')
      return ratios(cpu(many), cpu(few))
    },
  },
  {
    what: '100,000 held messages: ready after SIGKILL, in ms',
    limit: 'at most',
    bar: 1500,
    wish: 1000,
    measured: (run) => run.values('pending', restartCase(pendingSizes(run).at(-1) as number), 'ready ms'),
  },
]

const overloadBars: Bar[] = [
  {
    what: '64 senders against a function that keeps up with 100/s: decided/s against the same backlog without a sender',
    limit: 'at least',
    bar: 0.7,
    wish: 0.9,
    measured: (run) => {
      const decided = (name: string) => run.values('overload', name, 'decided/s')
      return ratios(decided(overloadCases.flooded), decided(overloadCases.drained))
    },
  },
  {
    what: "a healthy flow's p99 beside them, against alone",
    limit: 'at most',
    bar: 3,
    wish: 1.5,
    measured: (run) => {
      const p99 = (name: string) => run.values('overload', name, 'p99 ms')
      return ratios(p99(overloadCases.beside), p99(overloadCases.alone))
    },
  },
  {
    what: 'node dist, empty store: ready, in ms',
    limit: 'at most',
    bar: 1000,
    wish: 1000,
    measured: (run) => run.values('start', startCase('dist', false), 'ready ms'),
  },
]

const bars: readonly Bar[] = [...flowBars, ...sessionBars, ...sizeBars, ...overloadBars]

/** The verdict of a bar on a measurement. */
export function verdictOf({ limit, bar, wish }: Bar, { median }: Pick<Spread, 'median'>): 'wish' | 'passes' | 'short' {
  const reaches = (mark: number) => (limit === 'at least' ? median >= mark : median <= mark)
  if (reaches(wish)) return 'wish'
  return reaches(bar) ? 'passes' : 'short'
}

/** The bars with a measurement in this run. */
export function judged(record: RunRecord): { bar: Bar; measured: Spread }[] {
  const run = new MeasuredRun(record)
  return bars.flatMap((bar) => {
    const values = bar.measured(run)
    return values.length === 0 ? [] : [{ bar, measured: spreadOf(values) }]
  })
}
