import { setTimeout } from 'node:timers/promises'
import type { Cluster } from './cluster.ts'
import type { Fault } from './fault-plan.ts'
import type { NodeProcess } from './node-process.ts'
import type { Kill } from './take-over.ts'

const startTriesMax = 5
const startPauseMs = 500

/** Does what the plan says, and answers when everything is back. What was killed, and when. */
export async function doFaults(cluster: Cluster, plan: Fault[]): Promise<Kill[]> {
  const kills: Kill[] = []
  const from = Date.now()
  await Promise.all(
    plan.map(async (fault) => {
      await setTimeout(Math.max(0, from + fault.atMs - Date.now()))
      if (fault.fault === 'kill') await killOnce(cluster.nodes[fault.node] as NodeProcess, fault.forMs, kills)
      else if (fault.fault === 'freeze') await freeze(cluster.nodes[fault.node] as NodeProcess, fault.forMs)
      else if (fault.fault === 'restart PostgreSQL') await cluster.postgres?.restart()
      else await restartNats(cluster, fault.forMs)
    }),
  )
  return kills
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

async function restartNats({ nats }: Cluster, forMs: number): Promise<void> {
  await nats?.kill()
  await setTimeout(forMs)
  await nats?.start()
}
