import { setTimeout as delay } from 'node:timers/promises'
import { type Bench, caseName, measureSeconds, type Part, type Sized, sized, type Version } from '../bench.ts'
import type { Results } from '../figures.ts'
import { StoppedStore, stepStates } from '../fill.ts'
import type { Lane } from '../programs/flow-load.ts'
import { startCarillon, warmUp } from '../rig.ts'
import { Stage } from '../stage.ts'
import { type Build, build } from '../system/build.ts'
import { CarillonProcess } from '../system/carillon.ts'

const lanesCount = 10
const inFlight = 32
/** Time limit for a server to record a hand-off. */
const handOffMsMax = 10_000
const lookEveryMs = 50

/** A store with messages that wait for a verdict and never get one. */
interface Filled {
  version: Version
  build: Build
  count: number
  dataDir: string
  lanes: Lane[]
}

export const pending: Part = {
  name: 'pending',
  about: `one processor, ${inFlight} in flight, beside messages that are held and stay so; and a start after SIGKILL`,
  async open(bench) {
    const all: Filled[] = []
    for (const version of bench.versions) {
      const built = build(version, bench.scratch)
      for (const count of pendingSizes(bench)) {
        all.push({ version, build: built, count, ...(await fill(bench, version, count)) })
      }
    }
    return async (results) => {
      for (const filled of all) {
        await measureFlows(bench, filled, results)
        await measureStart(bench, filled, results)
      }
    }
  },
}

export const pendingSizes = (bench: Sized): number[] => [100, sized(bench, 100_000, 1000)]
export const pendingCase = (count: number): string => `${count.toLocaleString('en')} held messages`
export const restartCase = (count: number): string => `start after SIGKILL, ${pendingCase(count)}`

async function measureFlows(bench: Bench, { version, dataDir, lanes, count }: Filled, results: Results): Promise<void> {
  // Its server is killed at the end, as every one of a rig is unless it is profiled.
  await using rig = await startCarillon(bench, version, { dataDir, profileName: pendingCase(count) })
  await rig.openFlows(lanes)
  await warmUp(bench, rig, inFlight)
  const { figures } = await rig.measureFlows(inFlight, measureSeconds(bench))
  results.add(caseName(version, pendingCase(count)), figures)
}

async function measureStart(bench: Bench, filled: Filled, results: Results): Promise<void> {
  const options = { main: filled.build.main, dataDir: filled.dataDir }
  await using server = await CarillonProcess.start(options, bench.janitor)
  const { readyMs, readyCpuMs } = server
  results.add(caseName(filled.version, restartCase(filled.count)), { 'ready ms': readyMs, 'server CPU ms': readyCpuMs })
}

async function fill(bench: Bench, version: Version, count: number): Promise<{ dataDir: string; lanes: Lane[] }> {
  const dataDir = bench.scratch.folder('pending')
  const lanes = await holdOneInEach(bench, version, dataDir)
  const store = new StoppedStore(dataDir)
  for (const { channelArns } of lanes) store.copyHeldMessage(channelArns[0] as string, count / lanesCount - 1)
  store.close()
  return { dataDir, lanes }
}

/** Channels with one held message each, whose flow lets further ones pass. */
async function holdOneInEach(bench: Bench, version: Version, dataDir: string): Promise<Lane[]> {
  await using rig = await startCarillon(bench, version, { dataDir })
  const stage = await Stage.open(rig.url)
  const lanes = await stage.createLanes(lanesCount, ['hold'])
  for (const { channelArns, senderArn } of lanes) {
    const channelArn = channelArns[0] as string
    await stage.send(channelArn, senderArn)
    await awaitHandOff(dataDir, channelArn)
  }
  // The same flow again: a creation with the same token has the same output.
  await stage.changeFlow(await stage.createFlow(['hold']), ['allow'])
  stage.close()
  return lanes
}

/** The state of a step is visible only in its row. */
async function awaitHandOff(dataDir: string, channelArn: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < handOffMsMax; waitedMs += lookEveryMs) {
    if (stepStates(dataDir, channelArn).includes('AWAITING')) return
    await delay(lookEveryMs)
  }
  throw new Error(`no processor had the message within ${handOffMsMax} ms`)
}
