import { readFileSync } from 'node:fs'
import { type Bench, caseName, type Part, sized, type Version } from '../bench.ts'
import type { Figures, Results } from '../figures.ts'
import { startLoad, startPlain } from '../rig.ts'
import { Stage } from '../stage.ts'
import { CarillonProcess, mainOf, memoryFlags } from '../system/carillon.ts'
import { cpuTimeOf, residentBytesOf } from '../system/process-tree.ts'

const channelsPerUser = 5
const channelsCount = 50
const protocols = ['ws', 'wss'] as const
type Protocol = (typeof protocols)[number]

/** A server for the measurement of sessions. */
interface Subject {
  pid: number
  /** The URL for sessions. */
  url: string
  ca: string | undefined
  userArns: string[]
  collectGarbage(): Promise<void>
}

export const sessions: Part = {
  name: 'sessions',
  about: `sessions that only wait, each of a user in ${channelsPerUser} channels: memory after garbage was collected, and connecting`,
  async open(bench) {
    const populated = new Map<Version, Populated>()
    for (const version of bench.versions) populated.set(version, await populate(bench, version))
    return async (results) => {
      for (const protocol of protocols) {
        await measurePlain(bench, protocol, results)
        for (const [version, stored] of populated) await measureCarillon(bench, version, stored, protocol, results)
      }
    }
  },
}

export const sessionsCase = (name: string, protocol: Protocol): string => `${name}, ${protocol}`

/** Sessions that are measured, and sessions before them, so that one-time costs are not counted. */
const measuredSessions = (bench: Bench) => sized(bench, 4000, 100)
const sessionsBefore = (bench: Bench) => measuredSessions(bench) / 4

interface Populated {
  dataDir: string
  userArns: string[]
}

/** A data folder with users and channels, for all rounds. */
async function populate(bench: Bench, version: Version): Promise<Populated> {
  const dataDir = bench.scratch.folder('sessions')
  await using server = await CarillonProcess.start({ main: mainOf(version), dataDir }, bench.janitor)
  const stage = await Stage.open(server.endpoint.http)
  const userArns = await stage.createUsers(measuredSessions(bench) + sessionsBefore(bench))
  const lanes = await stage.createLanes(channelsCount, [], 'owner')
  for (const [index, { senderArn, channelArns }] of lanes.entries()) {
    const first = Math.floor(index / channelsPerUser)
    const members = userArns.filter((_, user) => user % (channelsCount / channelsPerUser) === first)
    await stage.addMembers(channelArns[0] as string, senderArn, members)
  }
  stage.close()
  await server.stop()
  return { dataDir, userArns }
}

async function measureCarillon(
  bench: Bench,
  version: Version,
  { dataDir, userArns }: Populated,
  protocol: Protocol,
  results: Results,
): Promise<void> {
  const tls = protocol === 'wss'
  const options = {
    main: mainOf(version),
    dataDir,
    tls,
    measuresMemory: true,
    profileFolder: bench.profileFolder,
    profileName: `sessions-${protocol}`,
  }
  await using server = await CarillonProcess.start(options, bench.janitor)
  const { http, https, ca } = server.endpoint
  const subject = {
    pid: server.pid,
    url: ((tls ? https : http) as string).replace('http', 'ws'),
    ca: ca === undefined ? undefined : readFileSync(ca, 'utf8'),
    userArns,
    collectGarbage: () => server.collectGarbage(),
  }
  results.add(caseName(version, sessionsCase('session', protocol)), await measure(bench, subject))
}

async function measurePlain(bench: Bench, protocol: Protocol, results: Results): Promise<void> {
  await using plain = startPlain(bench, memoryFlags)
  const { url, ca } = await plain.call('listen', { tls: protocol === 'wss' })
  const subject = {
    pid: plain.pid,
    url: url.replace('http', 'ws'),
    ca,
    userArns: Array.from({ length: measuredSessions(bench) + sessionsBefore(bench) }, (_, index) => `user-${index}`),
    collectGarbage: () => plain.call('collectGarbage', undefined),
  }
  results.add(sessionsCase('bare connection', protocol), await measure(bench, subject))
}

async function measure(bench: Bench, { pid, url, ca, userArns, collectGarbage }: Subject): Promise<Figures> {
  await using load = startLoad(bench)
  const [before, after] = [userArns.slice(0, sessionsBefore(bench)), userArns.slice(sessionsBefore(bench))]
  await load.call('openSessions', { url, ca, userArns: before })
  await collectGarbage()
  const bytesBefore = residentBytesOf(pid)
  const cpuBefore = cpuTimeOf(pid).own
  const { seconds } = await load.call('openSessions', { url, ca, userArns: after })
  const cpu = cpuTimeOf(pid).own - cpuBefore
  await collectGarbage()
  return {
    'KB/session': (residentBytesOf(pid) - bytesBefore) / after.length / 1024,
    'connects/s': after.length / seconds,
    'server µs/connect': cpu / after.length,
  }
}
