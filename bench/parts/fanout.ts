import { type Bench, caseName, measureSeconds, type Part, type Sized, sized, type Version } from '../bench.ts'
import type { Figures, Results } from '../figures.ts'
import type { Lane } from '../programs/flow-load.ts'
import { type Rig, startCarillon, startLoad, startPlainSessions, warmUp } from '../rig.ts'
import { Stage } from '../stage.ts'
import { cpuTimeOf } from '../system/process-tree.ts'

/** Messages in flight. */
const inFlight = 16
const kinds = ['STANDARD', 'CONTROL'] as const

export const fanout: Part = {
  name: 'fanout',
  about: 'one channel, and every message to all its sessions; stored (STANDARD) or not (CONTROL)',
  async open(bench) {
    return async (results) => {
      for (const sessions of fanoutSizes(bench)) {
        await measurePlain(bench, sessions, results)
        for (const version of bench.versions) await measureCarillon(bench, version, sessions, results)
      }
    }
  },
}

export const fanoutSizes = (bench: Sized): number[] => [sized(bench, 200, 20), sized(bench, 1000, 100)]
export const fanoutCase = (name: string, sessions: number): string => `${name}, ${sessions} sessions`

async function measurePlain(bench: Bench, sessions: number, results: Results): Promise<void> {
  await using rig = await startPlainSessions(bench)
  const instance = 'arn:aws:chime:us-east-1:000000000000:app-instance/00000000-0000-0000-0000-000000000000'
  const userArns = Array.from({ length: sessions }, (_, index) => `${instance}/user/${index}`)
  const lane = { senderArn: `${instance}/user/sender`, channelArns: [`${instance}/channel/lobby`] }
  await rig.openFlows([lane])
  results.add(fanoutCase('ws.send', sessions), await measure(bench, rig, userArns))
}

async function measureCarillon(bench: Bench, version: Version, sessions: number, results: Results): Promise<void> {
  await using rig = await startCarillon(bench, version, { profileName: `fanout-${sessions}` })
  const { lane, userArns } = await fillChannel(rig.url, sessions)
  for (const kind of kinds) {
    await rig.openFlows([lane], kind)
    const name = kind === 'STANDARD' ? 'stored' : 'CONTROL'
    results.add(caseName(version, fanoutCase(name, sessions)), await measure(bench, rig, userArns))
  }
}

/** A channel with so many members besides its owner, who sends. */
async function fillChannel(url: string, members: number): Promise<{ lane: Lane; userArns: string[] }> {
  const stage = await Stage.open(url)
  const [lane] = (await stage.createLanes(1, [], 'sender')) as [Lane]
  const userArns = await stage.createUsers(members, 'member')
  await stage.addMembers(lane.channelArns[0] as string, lane.senderArn, userArns)
  stage.close()
  return { lane, userArns }
}

/** The sender's own session counts as one more. */
async function measure(bench: Bench, rig: Rig, userArns: string[]): Promise<Figures> {
  await using receivers = startLoad(bench)
  await receivers.call('openSessions', { url: rig.url.replace('http', 'ws'), userArns })
  await receivers.call('forgetFrames', undefined)
  const warming = await warmUp(bench, rig, inFlight)
  await receivers.call('receivedFrames', { frames: warming * userArns.length })
  await receivers.call('forgetFrames', undefined)
  const cpuBefore = cpuTimeOf(receivers.pid).own
  const began = performance.now()
  const { figures, flows } = await rig.measureFlows(inFlight, measureSeconds(bench))
  await receivers.call('receivedFrames', { frames: flows * userArns.length })
  const seconds = (performance.now() - began) / 1000
  const deliveries = flows * (userArns.length + 1)
  return {
    'deliveries/s': deliveries / seconds,
    'server µs/delivery': ((figures['server µs'] ?? Number.NaN) * flows) / deliveries,
    'receivers µs/delivery': (cpuTimeOf(receivers.pid).own - cpuBefore) / deliveries,
    'messages/s': figures['flows/s'] ?? Number.NaN,
  }
}
