import type { Checks } from '../admin/readiness.ts'
import { resourceChecks } from '../admin/resource-checks.ts'
import type { Phase } from '../api/gate.ts'
import type { Bus } from '../bus/bus.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Descriptors } from '../runtime/descriptors.ts'
import type { Shortages } from '../runtime/shortage.ts'
import type { Store } from '../store/store.ts'

/**
 * A shortage of processes is reported for so long after the last failure: only failing work shows that it continues.
 */
const processShortageMs = 30_000
/** An operator should look at a node whose sessions lag by more events. */
const lagMax = 1_000

interface CheckParts {
  clock: Clock
  store: Pick<Store, 'ready'>
  shortages: Shortages
  bus: Bus
  descriptors: Descriptors
  /** The data folder. */
  folder: string
  /** Whether the store writes to the data folder. */
  storesInFolder: boolean
  phase(): Phase
  logLag(): number
  /** Throws while the functions folder cannot be read. */
  functionsReady(): void
}

/**
 * The checks of `/readyz`. A disk with little space left is only reported: calls succeed until a write fails, which
 * `store` reports, and a node that turns unready too early makes an outage of a warning. The disk is not needed at all
 * if the messages are in PostgreSQL. A functions folder that cannot be read is only reported, because all nodes may
 * share it.
 */
export function checksOf({ store, bus, phase, logLag, functionsReady, storesInFolder, ...rest }: CheckParts): Checks {
  const { descriptors, memory, disk, diskSpace } = resourceChecks(rest)
  return {
    needed: {
      server: () => requireReady(phase()),
      store: () => store.ready(),
      descriptors,
      memory,
      ...(storesInFolder && { disk }),
    },
    reported: {
      ...(!storesInFolder && { disk }),
      bus: () => requireConnected(bus),
      log: () => requireInTime(logLag()),
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
  if (seenAt === undefined || clock.now() - seenAt >= processShortageMs) return
  throw new Error(`a function's process could not be started at ${new Date(seenAt).toISOString()}`)
}

function requireInTime(lag: number): void {
  if (lag > lagMax) throw new Error(`${lag} events in the log have not been sent to the sessions here yet`)
}
