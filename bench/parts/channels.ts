import { type Bench, caseName, measureSeconds, type Part, type Sized, sized, type Version } from '../bench.ts'
import { StoppedStore } from '../fill.ts'
import type { Lane } from '../programs/flow-load.ts'
import { startCarillon, warmUp } from '../rig.ts'
import { Stage } from '../stage.ts'
import { CarillonProcess, mainOf } from '../system/carillon.ts'

/** Users; each is a member of its share of the channels. */
const lanesCount = 10
const inFlight = 32

export const channels: Part = {
  name: 'channels',
  about: `one processor, ${inFlight} in flight: messages to few channels, or scattered over many`,
  async open(bench) {
    const all: { version: Version; count: number; dataDir: string; lanes: Lane[] }[] = []
    for (const count of channelsSizes(bench)) {
      for (const version of bench.versions) all.push({ version, count, ...(await fill(bench, version, count)) })
    }
    return async (results) => {
      for (const { version, count, dataDir, lanes } of all) {
        await using rig = await startCarillon(bench, version, { dataDir, profileName: channelsCase(count) })
        await rig.openFlows(lanes)
        await warmUp(bench, rig, inFlight)
        const { figures } = await rig.measureFlows(inFlight, measureSeconds(bench))
        results.add(caseName(version, channelsCase(count)), figures)
      }
    }
  },
}

export const channelsSizes = (bench: Sized): number[] => [lanesCount, sized(bench, 100_000, 1000)]
export const channelsCase = (count: number): string => `${count.toLocaleString('en')} channels`

async function fill(bench: Bench, version: Version, count: number): Promise<{ dataDir: string; lanes: Lane[] }> {
  const dataDir = bench.scratch.folder('channels')
  await using server = await CarillonProcess.start({ main: mainOf(version), dataDir }, bench.janitor)
  const stage = await Stage.open(server.endpoint.http)
  const lanes = await stage.createLanes(lanesCount, ['allow'])
  stage.close()
  await server.stop()
  const store = new StoppedStore(dataDir)
  const copies = count / lanesCount - 1
  const filled = lanes.map(({ senderArn, channelArns: [first = ''] }) => ({
    senderArn,
    channelArns: [first, ...(copies > 0 ? store.copyChannel(first, copies) : [])],
  }))
  store.close()
  return { dataDir, lanes: filled }
}
