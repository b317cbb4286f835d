import { randomInt } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { withoutNatsServer } from '../support/nats-server.ts'
import { noPostgresServer } from '../support/postgres-server.ts'
import { withoutBalancer } from './balancer.ts'
import { ByHand } from './by-hand.ts'
import { ChangeLoad } from './change-load.ts'
import { checkHistory } from './check-history.ts'
import { ClubLoad } from './club-load.ts'
import { Cluster } from './cluster.ts'
import { planFaults } from './fault-plan.ts'
import { doFaults } from './faults.ts'
import { openSteps, readFinalState } from './final-state.ts'
import { emptyHistory, type History } from './history.ts'
import type { Violation } from './history-index.ts'
import { SdkListener, SocketListener } from './listeners.ts'
import { lookOn, readAll } from './looks.ts'
import { randomFrom } from './random.ts'
import { Senders } from './senders.ts'
import { channelsOf, type Stage, setStage, writeFunctions } from './stage.ts'
import { excerpt, summary, verdict } from './summary.ts'
import type { TurnNote } from './take-over.ts'
import { watchMetrics } from './watch-metrics.ts'

/*
 * `npm run test:faults`: a cluster of processes under load, with faults, and at the end the judgement of all that its
 * clients were told. CARILLON_TEST_FAULT_SECONDS: how long the load lasts. CARILLON_TEST_FAULT_NODES: 1 for a single
 * server on SQLite. CARILLON_TEST_SEED: the plan of an earlier run again, as far as processes can repeat themselves.
 */
const seconds = Number(process.env.CARILLON_TEST_FAULT_SECONDS ?? 60)
const nodes = Number(process.env.CARILLON_TEST_FAULT_NODES ?? 3)
const seed = Number(process.env.CARILLON_TEST_SEED ?? randomInt(2 ** 31))

/** What a shell calls the end by SIGINT. */
const interrupted = 130
const sendersAtOnce = 6
const socketsPerUser = 2
/** How long everything may take to come to its end once the faults are over: a function that failed has its next try after 60 s. */
const settleMsMax = 90_000
/** How long news may take that nothing delays. */
const newsMsMax = 15_000

async function main(): Promise<number> {
  const missing = withoutBalancer || (nodes > 1 && (noPostgresServer || withoutNatsServer))
  if (missing) {
    console.error(`SKIPPED: THE FAULT RUN. ${missing}`)
    return 0
  }
  console.log(`fault run: ${nodes} nodes, ${seconds} s, CARILLON_TEST_SEED=${seed}`)
  const folder = await mkdtemp(join(tmpdir(), 'carillon-faults-'))
  const leaveNothing = () => rmSync(folder, { recursive: true, force: true })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      process.once('exit', leaveNothing)
      process.exit(interrupted)
    })
  }
  const passed = await run(folder).catch((error: Error) => {
    console.error(`FAILED: ${error.stack}`)
    return false
  })
  if (passed) leaveNothing()
  else console.error(`the history, the notes of the processors and the logs of the nodes are in ${folder}`)
  return passed ? 0 : 1
}

async function run(folder: string): Promise<boolean> {
  const startedAt = Date.now()
  const functions = join(folder, 'functions')
  const notes = await writeFunctions(functions)
  const cluster = await Cluster.start({ folder, functions, nodes })
  try {
    const stage = await setStage(cluster)
    const history: History = { ...emptyHistory(), channels: channelsOf(stage) }
    const loadedAt = Date.now()
    const load = await loadAndFaults(cluster, stage, history, notes.callbacks)
    const settledAt = Date.now()
    const violations = await judge(cluster, stage, history)
    const lines = (await readFile(notes.turns, 'utf8')).split('\n').slice(0, -1)
    const turns = lines.map((line) => JSON.parse(line) as TurnNote).sort((a, b) => a.at - b.at)
    const outcome = { ...load, history, violations, turns, nodes }
    console.log(summary(outcome))
    const parts = [
      `start ${took(startedAt, loadedAt)}`,
      `load ${took(loadedAt, settledAt)}`,
      `check ${took(settledAt)}`,
    ]
    console.log(`took: ${parts.join(', ')}`)
    const failures = verdict(outcome)
    process.stderr.write(excerpt(failures))
    if (failures.length > 0) {
      await writeFile(join(folder, 'history.json'), JSON.stringify({ seed, failures, history }, undefined, 1))
    }
    return failures.length === 0
  } finally {
    await cluster.close()
  }
}

const took = (from: number, to = Date.now()) => `${Math.round((to - from) / 1_000)} s`

/** Resolves when the faults are over, all nodes are back, and every send and every step has come to its end. */
async function loadAndFaults(cluster: Cluster, stage: Stage, history: History, callbacks: string) {
  const random = randomFrom(seed)
  const plan = planFaults(seconds, nodes, random)
  const listeners = stage.userArns.flatMap((userArn, user) => [
    ...Array.from({ length: socketsPerUser }, (_, n) => {
      return new SocketListener(cluster, history, userArn, `socket ${user}.${n}`)
    }),
    ...(user % 2 === 0 ? [new SdkListener(cluster, history, userArn, `SDK ${user}`)] : []),
  ])
  for (const listener of listeners) listener.start()
  const [never] = await late('all sessions are open', newsMsMax, () => listeners.every(({ isOpen }) => isOpen))
  if (never) throw new Error(never)

  const [loadIsOver, allIsOver] = [new AbortController(), new AbortController()]
  const senders = new Senders(stage, history, random)
  senders.start(sendersAtOnce)
  const looking = lookOn(stage, history, random, loadIsOver.signal)
  const loads = [new ClubLoad(stage, history, random), new ChangeLoad(stage, history, random)]
  const loading = Promise.all(loads.map((load) => load.run(loadIsOver.signal)))
  const byHand = new ByHand(stage, callbacks).decideOn(allIsOver.signal)
  const watching = watchMetrics(cluster.adminUrls, loadIsOver.signal)
  const [done] = await Promise.all([doFaults(cluster, plan), setTimeout(seconds * 1_000)])
  loadIsOver.abort()
  await loading
  await senders.finish(settleMsMax)
  const waits = [
    ...(await late('every step is over', settleMsMax, async () => (await openSteps(cluster)) === 0)),
    ...(await late('all sessions are open again', newsMsMax, () => listeners.every(({ isOpen }) => isOpen))),
  ]
  allIsOver.abort()
  await byHand
  const crashes = cluster.nodes.flatMap((node) => node.crashes)
  const refusals = [
    ...crashes,
    ...senders.refusals,
    ...loads.flatMap((load) => load.refusals),
    ...(await looking),
    ...waits,
  ]
  history.troubles = done.troubles
  const acts = new Map(loads.flatMap((load) => [...load.done]))
  return { ...done, acts, refusals, oldestPending: await watching, plan }
}

/** News that are on their way get their time; what is wrong after that stays wrong. */
async function judge(cluster: Cluster, stage: Stage, history: History): Promise<Violation[]> {
  history.looks.push(...(await readAll(stage)))
  for (const from = Date.now(); ; await setTimeout(1_000)) {
    history.end = await readFinalState(cluster)
    const violations = checkHistory(history)
    if (violations.length === 0 || Date.now() - from > newsMsMax) return violations
  }
}

/** Waits until it is so. What there is to say if it takes too long. */
async function late(what: string, msMax: number, isSo: () => boolean | Promise<boolean>): Promise<string[]> {
  for (const from = Date.now(); !(await isSo()); await setTimeout(100)) {
    if (Date.now() - from > msMax) return [`it took more than ${msMax} ms until ${what}`]
  }
  return []
}

process.exit(await main())
