import { setTimeout } from 'node:timers/promises'
import type { Cluster } from './cluster.ts'
import type { Fault } from './fault-plan.ts'
import type { Trouble } from './history.ts'
import type { NodeProcess } from './node-process.ts'
import type { Kill } from './take-over.ts'

const startTriesMax = 5
const startPauseMs = 500
/** Until the balancer has found that a restarted node is ready. */
const balancerMs = 1_000

/** What was done, and when. */
export interface FaultsDone {
  kills: Kill[]
  /** When the rolling restart began. */
  restartedAt: number | undefined
  troubles: Trouble[]
}

const endsNode = ({ fault }: Fault) => fault === 'kill' || fault === 'rolling restart'

/**
 * Does what the plan says, and returns when everything is back. Nodes are ended one after the other, each when the one
 * before is back, so that on a slow machine the later kills are late.
 */
export async function doFaults(cluster: Cluster, plan: Fault[]): Promise<FaultsDone> {
  const done: FaultsDone = { kills: [], restartedAt: undefined, troubles: [] }
  const from = Date.now()
  const doOne = async (fault: Fault) => {
    await setTimeout(Math.max(0, from + fault.atMs - Date.now()))
    await doFault(cluster, fault, done)
  }
  const endNodes = async () => {
    for (const fault of plan.filter(endsNode)) await doOne(fault)
  }
  await Promise.all([endNodes(), ...plan.filter((fault) => !endsNode(fault)).map(doOne)])
  return done
}

async function doFault(cluster: Cluster, fault: Fault, done: FaultsDone): Promise<void> {
  const begun = Date.now()
  if (fault.fault === 'kill') await killOnce(cluster.nodes[fault.node] as NodeProcess, fault.forMs, done.kills)
  else if (fault.fault === 'rolling restart') {
    done.restartedAt = begun
    for (const node of cluster.nodes) await upgrade(node)
  } else if (fault.fault === 'freeze') await freeze(cluster.nodes[fault.node] as NodeProcess, fault.forMs)
  else if (fault.fault === 'restart NATS') await restartNats(cluster, fault.forMs)
  else await restartPostgres(cluster, fault)
  // That a killed node comes back befalls nobody.
  done.troubles.push({ from: begun, to: fault.fault === 'kill' ? begun : Date.now() })
}

/** A node that has ended by itself, which fails the run, is started again, so that the run goes on as it was planned. */
async function killOnce(node: NodeProcess, forMs: number, kills: Kill[]): Promise<void> {
  if (node.isReady) kills.push({ pid: node.pid, at: Date.now() })
  await node.kill()
  await setTimeout(forMs)
  await startAgain(node)
}

/** As an operator does it. The sessions of the node are open when it is stopped. */
async function upgrade(node: NodeProcess): Promise<void> {
  await node.stop()
  node.upgrade()
  await startAgain(node)
  await setTimeout(balancerMs)
}

/** As whatever supervises it does: it ends when it cannot reach PostgreSQL, and is started again. */
async function startAgain(node: NodeProcess): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await node.start()
    } catch (error) {
      if (tries === startTriesMax) throw error
      await node.kill()
      await setTimeout(startPauseMs)
    }
  }
}

async function freeze(node: NodeProcess, forMs: number): Promise<void> {
  node.freeze()
  await setTimeout(forMs)
  node.thaw()
}

/** An operator's restart breaks off what is under way and says so; a crash says nothing, and recovers at the start. */
async function restartPostgres({ postgres }: Cluster, { fault, forMs }: Fault): Promise<void> {
  await postgres?.pause(fault === 'crash PostgreSQL' ? 'immediate' : 'fast')
  await setTimeout(forMs)
  await postgres?.resume()
}

async function restartNats({ nats }: Cluster, forMs: number): Promise<void> {
  await nats?.kill()
  await setTimeout(forMs)
  await nats?.start()
}
