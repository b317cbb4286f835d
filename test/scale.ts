import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Janitor } from '../bench/system/janitor.ts'
import { Scratch } from '../bench/system/scratch.ts'
import { rootKeys } from '../bench/wire/calls.ts'
import { Session } from '../bench/wire/session.ts'
import { Signer } from '../bench/wire/sigv4.ts'
import { setStage, type Timed, timeCreates, timeLists } from './scale/calls.ts'
import { deleteLongHistory } from './scale/deletion.ts'
import { fillStore, type Sizes, type Stage } from './scale/fill.ts'
import type { LoopPause } from './scale/loop-pause.ts'
import { openDatabase, openFile, type Record } from './scale/record.ts'
import { requireFlow } from './scale/required-flow.ts'
import { type Place, ScaleServer } from './scale/server.ts'
import { dropDatabase, freshDatabase, noPostgresServer } from './support/postgres-server.ts'

/*
 * `node test/scale.ts [--small] [--flow]`: a large store, and what the operations take on it, on SQLite and on PostgreSQL. Prints a
 * table with what was measured beside what it should be. It fails only where rows are left or a call fails: a time is a
 * matter of the machine. `--small` shows within a minute that the program itself works. `--flow` requires a flow, and no more.
 */

interface Plan extends Sizes {
  /** Messages of the channel that is deleted, by engine. */
  history: { SQLite: number; PostgreSQL: number }
}

const full: Plan = {
  users: 99_000,
  channels: 100_000,
  members: 9_700,
  memberships: 20_000,
  bans: 10_000,
  history: { SQLite: 1_000_000, PostgreSQL: 100_000 },
}
const small: Plan = {
  users: 1_000,
  channels: 1_000,
  members: 300,
  memberships: 500,
  bans: 200,
  history: { SQLite: 5_000, PostgreSQL: 5_000 },
}

/** How many channels a session gets at its connect. */
const channelsPrefetched = 50

/** The server has noticed by then that the session has ended. */
const sessionEndsMsMax = 1_000

const pageMsMax = 5
const createRatioMax = 2
const pauseMsMax = 25
const deleteMsMax = 50
const sendMsMax = 100

interface Row {
  what: string
  bar: string
  measured: string
  passes: boolean
}

type Engine = keyof Plan['history']

const isFlowOnly = process.argv.includes('--flow')

async function main(): Promise<number> {
  const plan = process.argv.includes('--small') ? small : full
  const janitor = new Janitor()
  const scratch = new Scratch(janitor, undefined)
  let failed = false
  try {
    for (const engine of ['SQLite', 'PostgreSQL'] as const) {
      if (engine === 'PostgreSQL' && noPostgresServer) {
        console.error(`SKIPPED: SCALE ON POSTGRESQL. ${noPostgresServer}`)
        continue
      }
      const databaseUrl = engine === 'PostgreSQL' ? await freshDatabase() : undefined
      const place = { dataDir: scratch.folder('scale'), databaseUrl }
      try {
        const { rows, wrong } = await measure(engine, plan, place, janitor)
        print(engine, rows)
        for (const [what, count] of wrong) console.error(`FAILED: ${count} ${what}`)
        failed ||= wrong.size > 0
      } finally {
        if (databaseUrl !== undefined) await dropDatabase(databaseUrl)
      }
    }
  } finally {
    await janitor.clearUp()
  }
  return failed ? 1 : 0
}

async function measure(engine: Engine, plan: Plan, place: Place, janitor: Janitor) {
  const open = () => openRecord(place)
  const { stage, empty } = await inEmptyStore(place, janitor)
  await (async () => {
    await using record = await open()
    await fillStore(record, stage, plan)
  })()
  if (isFlowOnly) return requiredFlow(plan, place, stage, open, janitor)
  const large = await inLargeStore(place, stage, janitor)
  const deletion = await deleteLongHistory(place, stage, plan.history[engine], open, janitor)
  const rows = [
    ...large.lists.map(listRow),
    ...large.creates.map(({ name, times }) => createRow(name, times, empty)),
    ...large.pauses.map(({ during, pause }) => pauseRow(during, pause)),
    information('connect of that user', large.connectMs),
    atMost('DeleteChannel', deletion.answeredMs, deleteMsMax, 'ms'),
    atMost(`a send beside the purge: p99 of ${deletion.sends.length}`, quantile(deletion.sends, 0.99), sendMsMax, 'ms'),
    ...deletion.pauses.map((pause, index) => pauseRow(index === 0 ? 'purge' : 'purge after the kill', pause)),
    information(`purge, killed when ${deletion.leftWhenKilled} messages were left`, deletion.purgeMs),
  ]
  // Last, because then all channels have another flow.
  const required = await requiredFlow(plan, place, stage, open, janitor)
  const left = [...deletion.left].map(([table, count]) => [`rows of the deleted channel in ${table}`, count] as const)
  return { rows: [...rows, ...required.rows], wrong: new Map([...left, ...required.wrong]) }
}

type Open = () => Promise<Record>

async function requiredFlow(plan: Plan, place: Place, stage: Stage, open: Open, janitor: Janitor) {
  const { pauseBefore, pause, sends, attachMs, counts, wrong, left } = await requireFlow(place, stage, open, janitor)
  const problems = [...wrong].map(([what, count]) => [`messages ${what}, though one is required`, count] as const)
  return {
    rows: [
      pauseRow('sends alone', pauseBefore),
      pauseRow(`a flow becomes required in ${plan.channels} channels`, pause),
      atMost(`a send meanwhile: p99 of ${sends.length}`, quantile(sends, 0.99), sendMsMax, 'ms'),
      information(
        `that flow is in all channels; messages before, across and after the tag: ${counts.join(', ')}`,
        attachMs,
      ),
    ],
    wrong: new Map(left > 0 ? [...problems, ['channels without the required flow', left]] : problems),
  }
}

const openRecord = ({ dataDir, databaseUrl }: Place): Promise<Record> =>
  databaseUrl === undefined ? Promise.resolve(openFile(join(dataDir, 'carillon.sqlite'))) : openDatabase(databaseUrl)

async function inEmptyStore(place: Place, janitor: Janitor): Promise<{ stage: Stage; empty: Timed[] }> {
  await using server = await ScaleServer.start(place, janitor)
  const stage = await setStage(server.api)
  // The first round pays for code that is not compiled yet.
  await timeCreates(server.api, stage, 'first')
  const empty = await timeCreates(server.api, stage, 'empty')
  await server.stop()
  return { stage, empty }
}

async function inLargeStore(place: Place, stage: Stage, janitor: Janitor) {
  await using server = await ScaleServer.start(place, janitor)
  await timeCreates(server.api, stage, 'second')
  const pauses: { during: string; pause: LoopPause }[] = []
  const noting = async <Result>(during: string, work: () => Promise<Result>): Promise<Result> => {
    await server.longestPause()
    const result = await work()
    pauses.push({ during, pause: await server.longestPause() })
    return result
  }
  const lists = await noting('lists', () => timeLists(server.api, stage))
  const creates = await noting('creates', () => timeCreates(server.api, stage, 'large'))
  const session = await noting('connect of a user with so many memberships', () => connect(server.url, stage.busyArn))
  await noting('end of its session', async () => {
    session.close()
    await setTimeout(sessionEndsMsMax)
  })
  await server.stop()
  return { lists, creates, pauses, connectMs: session.connectMs }
}

/** Resolves when the session has what is prefetched, with the time that it took. */
async function connect(url: string, userArn: string) {
  const { host } = new URL(url)
  const signer = new Signer(rootKeys, 'us-east-1', 'chime')
  const parameters = { userArn, sessionId: 'scale', 'prefetch-on': 'connect', 'prefetch-sort-by': 'unread' }
  const prefetched = Promise.withResolvers<void>()
  let frames = 0
  const onText = () => {
    frames += 1
    // The first says that the session is established.
    if (frames > channelsPrefetched) prefetched.resolve()
  }
  const from = performance.now()
  const target = signer.connectTarget(host, parameters)
  const session = await Session.open({ url: `ws://${host}`, target, onText })
  await prefetched.promise
  return { connectMs: performance.now() - from, close: () => session.close() }
}

function listRow({ name, times }: Timed): Row {
  const row = atMost(`${name}: p99`, quantile(times, 0.99), pageMsMax, 'ms')
  return { ...row, measured: `${row.measured} (median ${round(quantile(times, 0.5))})` }
}

function createRow(name: string, times: number[], empty: Timed[]): Row {
  const before = quantile(empty.find((timed) => timed.name === name)?.times ?? [], 0.5)
  const now = quantile(times, 0.5)
  const row = atMost(`${name}: median against an empty store`, now / before, createRatioMax, 'times')
  return { ...row, measured: `${row.measured} (${round(now)} / ${round(before)} ms)` }
}

function pauseRow(during: string, { ownMs, allMs, cpuMs }: LoopPause): Row {
  const row = atMost(`longest pause: ${during}`, ownMs, pauseMsMax, 'ms')
  return { ...row, measured: `${row.measured} (${round(allMs)} with others, CPU ${round(cpuMs)})` }
}

const atMost = (what: string, measured: number, bar: number, unit: string): Row => ({
  what,
  bar: `at most ${bar} ${unit}`,
  measured: `${round(measured)} ${unit}`,
  passes: measured <= bar,
})

const information = (what: string, ms: number): Row => ({ what, bar: '', measured: `${round(ms)} ms`, passes: true })

function quantile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

const round = (value: number): string => value.toPrecision(3)

function print(engine: Engine, rows: Row[]): void {
  const cells = rows.map(({ what, bar, measured, passes }) => [what, bar, measured, passes ? '' : 'short'])
  const all = [['what', 'should be', 'measured', ''], ...cells]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0), 3))
  const line = (row: string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  console.log(`\n${engine}`)
  for (const [index, row] of all.entries()) {
    console.log(line(row))
    if (index === 0) console.log(line(widths.map((width) => '-'.repeat(width))))
  }
}

process.exit(await main())
