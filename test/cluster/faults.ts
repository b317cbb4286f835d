import { setTimeout } from 'node:timers/promises'
import type { Cluster } from './cluster.ts'
import type { Fault } from './fault-plan.ts'
import type { NodeProcess } from './node-process.ts'
import type { Kill, Trouble } from './take-over.ts'

const startTriesMax = 5
const startPauseMs = 500

/** What was done, and when. */
export interface FaultsDone {
  kills: Kill[]
  /** From the fault until all was back; the kills are among them. */
  troubles: Trouble[]
}

/** Does what the plan says, and answers when everything is back. */
export async function doFaults(cluster: Cluster, plan: Fault[]): Promise<FaultsDone> {
  const kills: Kill[] = []
  const troubles: Trouble[] = []
  const from = Date.now()
  await Promise.all(
    plan.map(async (fault) => {
      await setTimeout(Math.max(0, from + fault.atMs - Date.now()))
      const begun = Date.now()
      if (fault.fault === 'kill') await killOnce(cluster.nodes[fault.node] as NodeProcess, fault.forMs, kills)
      else if (fault.fault === 'freeze') await freeze(cluster.nodes[fault.node] as NodeProcess, fault.forMs)
      else if (fault.fault === 'restart NATS') await restartNats(cluster, fault.forMs)
      else await restartPostgres(cluster, fault)
      // That a killed node comes back befalls nobody.
      troubles.push({ from: begun, to: fault.fault === 'kill' ? begun : Date.now() })
    }),
  )
  return { kills, troubles }
}

/**
 * A node that is still starting from the kill before is left to it: two processes cannot share its folder. One that has
 * ended by itself, which fails the run, is started again, so that the run goes on as it was planned.
 */
async function killOnce(node: NodeProcess, forMs: number, kills: Kill[]): Promise<void> {
  if (node.isStarting) return
  if (node.isReady) kills.push({ pid: node.pid, at: Date.now() })
  await node.kill()
  await setTimeout(forMs)
  await startAgain(node)
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
