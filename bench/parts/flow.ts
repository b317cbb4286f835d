import { fileURLToPath } from 'node:url'
import { type Bench, caseName, measureSeconds, type Part, type Version } from '../bench.ts'
import type { Results } from '../figures.ts'
import { peers } from '../peers/peer.ts'
import type { Lane } from '../programs/flow-load.ts'
import { type Rig, type RigOptions, startCarillon, startFloor, startPeer, warmUp } from '../rig.ts'
import { Stage } from '../stage.ts'

/** Channels, each with one user who sends there. */
const lanesCount = 10
const allInFlight = [1, 32, 256]
const localFunctions = fileURLToPath(new URL('../functions', import.meta.url))

/** A server with its processors, for which flows are measured at each number in flight. */
interface Setup {
  name: string
  processors: number
  options: RigOptions
}

export const floorSetup = 'floor'
export const localSetup = 'SQLite, local function'
export const setupName = (store: 'SQLite' | 'PostgreSQL', processors: number): string =>
  `${store}, ${processors} ${processors === 1 ? 'processor' : 'processors'}`

const counts = [0, 1, 3]
const setups: Setup[] = [
  ...counts.map((processors) => ({ name: setupName('SQLite', processors), processors, options: {} })),
  { name: localSetup, processors: 1, options: { functions: localFunctions } },
  ...counts.map((processors) => ({
    name: setupName('PostgreSQL', processors),
    processors,
    options: { onPostgres: true },
  })),
]

export const flow: Part = {
  name: 'flow',
  about: 'one message from its send to the session of its sender, through its processors',
  async open(bench) {
    const { only = '' } = bench.options
    const asked = setups.filter(({ name }) => name.includes(only))
    if (asked.length === 0)
      throw new Error(`no flow is named ${only}: they are ${setups.map(({ name }) => name).join('; ')}`)
    const isOnPostgres = asked.some(({ options }) => options.onPostgres)
    const hasDatabase = isOnPostgres && (await bench.database()) !== undefined
    const possible = asked.filter(({ options }) => hasDatabase || !options.onPostgres)
    const wanted = peers.filter(({ name }) => bench.options.peers.includes(name))
    const installed = wanted.map((peer) => ({ peer, packages: peer.install(bench.scratch) }))
    let turn = 0
    return async (results) => {
      // The first version of a pair would have the cooler machine, or the warmer disk, each time.
      const versions = turn % 2 === 0 ? bench.versions : bench.versions.toReversed()
      turn += 1
      await measureFront(bench, floorSetup, startFloor, results)
      for (const { peer, packages } of installed) {
        await measureFront(bench, peer.name, () => startPeer(bench, peer, packages), results)
      }
      for (const setup of possible) {
        for (const version of versions) await measureSetup(bench, version, setup, results)
      }
    }
  },
}

export const flowCase = (setup: string, inFlight: number): string => `${setup}, ${inFlight} in flight`

/** The floor or a peer. Neither has permissions, so no users and channels are created. */
async function measureFront(
  bench: Bench,
  name: string,
  start: (bench: Bench) => Promise<Rig>,
  results: Results,
): Promise<void> {
  await using rig = await start(bench)
  const lanes = Array.from({ length: lanesCount }, (_, index): Lane => {
    const instance = 'arn:aws:chime:us-east-1:000000000000:app-instance/00000000-0000-0000-0000-000000000000'
    return { senderArn: `${instance}/user/lane-${index}`, channelArns: [`${instance}/channel/lane-${index}`] }
  })
  await measureAll(bench, rig, lanes, name, results)
}

async function measureSetup(bench: Bench, version: Version, setup: Setup, results: Results): Promise<void> {
  const { processors, options, name } = setup
  // The bars are about one processor, so only that case is worth the time.
  const exactTransactions = !bench.options.quick && processors === 1
  await using rig = await startCarillon(bench, version, { ...options, exactTransactions, profileName: name })
  const stage = await Stage.open(rig.url)
  const functions = Array.from({ length: processors }, (_, index) => `allow-${index + 1}`)
  const lanes = await stage.createLanes(lanesCount, functions)
  stage.close()
  await measureAll(bench, rig, lanes, caseName(version, name), results)
}

async function measureAll(bench: Bench, rig: Rig, lanes: Lane[], name: string, results: Results): Promise<void> {
  await rig.openFlows(lanes)
  // With all connections that will be needed. libuv accepts one in each turn of the event loop, and a turn with a
  // commit is long: 224 more connections would take most of the measurement, while the flows on them wait.
  await warmUp(bench, rig, Math.max(...allInFlight))
  for (const inFlight of allInFlight) {
    const { figures } = await rig.measureFlows(inFlight, measureSeconds(bench))
    results.add(flowCase(name, inFlight), figures)
  }
}
