import { type Bench, caseName, measureSeconds, type Part, type Sized, sized, type Version } from '../bench.ts'
import type { Results } from '../figures.ts'
import { StoppedStore } from '../fill.ts'
import type { Lane } from '../programs/flow-load.ts'
import type { PagePosition } from '../programs/list-load.ts'
import { startLoad } from '../rig.ts'
import { Stage } from '../stage.ts'
import { CarillonProcess, mainOf } from '../system/carillon.ts'
import { cpuTimeOf } from '../system/process-tree.ts'

const positions: PagePosition[] = ['newest', 'middle', 'oldest']

/** A channel with a long history, in a data folder for all rounds. */
interface Filled {
  version: Version
  messages: number
  dataDir: string
  lane: Lane
  middleMs: number
}

export const history: Part = {
  name: 'history',
  about: 'ListChannelMessages: a page of 50, from three places of a short and a long history',
  async open(bench) {
    const all: Filled[] = []
    for (const messages of historySizes(bench)) {
      for (const version of bench.versions) all.push(await fill(bench, version, messages))
    }
    return async (results) => {
      for (const filled of all) await measure(bench, filled, results)
    }
  },
}

export const historySizes = (bench: Sized): number[] => [sized(bench, 1000, 100), sized(bench, 1_000_000, 5000)]

export const historyCase = (position: PagePosition, messages: number): string =>
  `${position} of ${messages.toLocaleString('en')} messages`

async function measure(bench: Bench, filled: Filled, results: Results): Promise<void> {
  const { version, dataDir, messages } = filled
  const options = {
    main: mainOf(version),
    dataDir,
    profileFolder: bench.profileFolder,
    profileName: `history-${messages}`,
  }
  await using server = await CarillonProcess.start(options, bench.janitor)
  await using load = startLoad(bench)
  const list = (position: PagePosition, seconds: number) =>
    load.call('runLists', listInput(server.endpoint.http, filled, position, seconds))
  const seconds = measureSeconds(bench)
  // All of them first: the one that is measured first must not pay for code that is not compiled yet.
  for (const position of positions) await list(position, seconds / 2)
  for (const position of positions) {
    const before = cpuTimeOf(server.pid).own
    const { lists } = await list(position, seconds)
    const figures = { 'server µs': (cpuTimeOf(server.pid).own - before) / lists, 'lists/s': lists / seconds }
    results.add(caseName(version, historyCase(position, messages)), figures)
  }
}

async function fill(bench: Bench, version: Version, messages: number): Promise<Filled> {
  const dataDir = bench.scratch.folder('history')
  await using server = await CarillonProcess.start({ main: mainOf(version), dataDir }, bench.janitor)
  const stage = await Stage.open(server.endpoint.http)
  const [lane] = (await stage.createLanes(1, [])) as [Lane]
  const channelArn = lane.channelArns[0] as string
  await stage.send(channelArn, lane.senderArn)
  stage.close()
  await server.stop()
  const store = new StoppedStore(dataDir)
  const { middleMs } = store.fillHistory(channelArn, messages)
  store.close()
  return { version, messages, dataDir, lane, middleMs }
}

function listInput(url: string, { lane, middleMs }: Filled, position: PagePosition, seconds: number) {
  return { url, channelArn: lane.channelArns[0] as string, memberArn: lane.senderArn, position, middleMs, seconds }
}
