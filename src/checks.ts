import type { Checks } from './admin/readiness.ts'
import { resourceChecks } from './admin/resource-checks.ts'
import type { Phase } from './api/gate.ts'
import type { Bus } from './bus/bus.ts'
import type { Clock } from './runtime/clock.ts'
import type { Shortages } from './runtime/shortage.ts'
import type { Store } from './store/store.ts'

/** How long a shortage is told of after it was last seen: only work that fails shows that it is still there. */
const shortageToldMs = 30_000
/** A node that is so many events behind is worth a look. */
const lagMax = 1_000

interface CheckParts {
  clock: Clock
  store: Pick<Store, 'ready'>
  shortages: Shortages
  bus: Bus
  folder: string
  phase(): Phase
  logLag(): number
  /** Throws while it is not known which functions there are. */
  functionsReady(): void
}

/**
 * What `/readyz` looks at. A low disk is told and not needed: calls go on until a write fails, which `store` says, and a
 * node that turns unready too early makes an outage of a warning. So is a functions folder that cannot be read: all nodes
 * may share it.
 */
export function checksOf({ store, bus, phase, logLag, functionsReady, ...rest }: CheckParts): Checks {
  const { descriptors, memory, disk, diskSpace } = resourceChecks(rest)
  return {
    needed: { server: () => requireReady(phase()), store: () => store.ready(), descriptors, memory, disk },
    told: {
      bus: () => requireConnected(bus),
      log: () => requireTold(logLag()),
      'disk space': diskSpace,
      'functions folder': functionsReady,
      processes: () => requireProcesses(rest),
    },
  }
}

function requireReady(phase: Phase): void {
  if (phase !== 'ready') throw new Error(`the server is ${phase}`)
}

function requireConnected(bus: Bus): void {
  if (!bus.connected) throw new Error('not connected to the other nodes')
}

function requireProcesses({ clock, shortages }: Pick<CheckParts, 'clock' | 'shortages'>): void {
  const seenAt = shortages.lastSeenAt('processes')
  if (seenAt === undefined || clock.now() - seenAt >= shortageToldMs) return
  throw new Error(`a function's process could not be started at ${new Date(seenAt).toISOString()}`)
}

function requireTold(lag: number): void {
  if (lag > lagMax) throw new Error(`${lag} events are in the log that sessions here were not told of yet`)
}
