import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { alignedTable } from './table.ts'

/*
 * What a message costs, stage by stage: the samples of a server's CPU profile, each counted for the first file of src on
 * its stack. So a stage has the work of the libraries and of Node that it calls.
 */

/** The stages on the way of a message, by the folder of src. */
const stages: Record<string, string> = {
  signature: 'signatures: two are verified, one is made',
  http: 'HTTP: read, route, respond',
  contract: 'validation',
  api: 'operations: roles, flow, rows, ids',
  store: 'store: reads, two commits',
  flow: 'flow engine: transitions, queue',
  processor: 'dispatch to the processor',
  events: 'frames to the sessions',
  bus: 'frames to the sessions',
  session: 'frames to the sessions',
  runtime: 'log, metrics, timers',
}
/** All other files of src build the server. What they do at the start is left out. */
const atStart = 'start'
const outside = 'Node: sockets, HTTP parser, event loop'
const collector = 'garbage collection'

interface ProfileNode {
  id: number
  callFrame: { functionName: string; url: string }
  children?: number[]
}

interface Profile {
  nodes: ProfileNode[]
  samples: number[]
  timeDeltas: number[]
}

/** The shares of the processor time of each server that was profiled, as a table; undefined if there is none. */
export function costTable(folder: string): string | undefined {
  const files = readdirSync(folder).filter((file) => file.endsWith('.cpuprofile'))
  if (files.length === 0) return undefined
  const shares = files.map((file) => sharesOf(JSON.parse(readFileSync(join(folder, file), 'utf8'))))
  const names = new Set([...Object.values(stages), outside, collector])
  const rows = [...names].map((name) => [
    name,
    ...shares.map((share) => `${((share.get(name) ?? 0) * 100).toFixed(0)} %`),
  ])
  return alignedTable(['what a message costs', ...files.map((file) => file.replace('.cpuprofile', ''))], rows)
}

function sharesOf({ nodes, samples, timeDeltas }: Profile): Map<string, number> {
  const stageOf = stagesOf(nodes)
  const times = new Map<string, number>()
  let total = 0
  for (const [index, id] of samples.entries()) {
    const stage = stageOf.get(id)
    if (stage === undefined || stage === atStart) continue
    const time = timeDeltas[index] ?? 0
    times.set(stage, (times.get(stage) ?? 0) + time)
    total += time
  }
  return new Map([...times].map(([stage, time]) => [stage, time / total]))
}

/** The stage of each node. Idle time has none. */
function stagesOf(nodes: readonly ProfileNode[]): Map<number, string> {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const stageOf = new Map<number, string>()
  const visit = (id: number, inherited: string) => {
    const { callFrame, children = [] } = byId.get(id) as ProfileNode
    if (callFrame.functionName === '(idle)') return
    const stage = callFrame.functionName === '(garbage collector)' ? collector : (ownStage(callFrame.url) ?? inherited)
    stageOf.set(id, stage)
    for (const child of children) visit(child, stage)
  }
  if (nodes[0]) visit(nodes[0].id, outside)
  return stageOf
}

function ownStage(url: string): string | undefined {
  if (url.includes('/node_modules/')) return undefined
  const [, path] = /.*\/(?:src|dist)\/(.*)$/.exec(url) ?? []
  return path === undefined ? undefined : (stages[path.split('/')[0] ?? ''] ?? atStart)
}
