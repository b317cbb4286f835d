import type { Clock } from '../runtime/clock.ts'
import type { Descriptors } from '../runtime/descriptors.ts'
import { freeDisk, freeMemory } from '../runtime/resources.ts'
import { type ShortageKind, type Shortages, shortageOf } from '../runtime/shortage.ts'
import type { Check } from './readiness.ts'

/** Enough for the pipes of a function, a call and this check. */
export const descriptorsMin = 16
/** Enough for a burst of calls. Below this the system may kill the process. */
export const memoryBytesMin = 32 * 2 ** 20
/** Enough for one batch of large messages in the write-ahead log. */
export const diskBytesMin = 256 * 2 ** 10
/** Below this an operator should act. Writes still succeed, so calls need not go to another node. */
export const diskBytesLow = 64 * 2 ** 20
/** A shortage counts as present for so long after its last report. */
export const shortageMs = 10_000

interface ResourceParts {
  clock: Pick<Clock, 'now'>
  shortages: Pick<Shortages, 'lastSeenAt'>
  descriptors: Descriptors
  /** The data folder. */
  folder: string
  free?: Free
}

/** The bytes that are left, undefined if that is unknown. A test passes its own. */
interface Free {
  memory(): Promise<number | undefined>
  disk(folder: string): Promise<number | undefined>
}

const systemFree: Free = { memory: freeMemory, disk: freeDisk }

/** Whether the server has the resources for its work. They are read only for requests to `/readyz`. */
export function resourceChecks({ clock, shortages, descriptors, folder, free = systemFree }: ResourceParts) {
  const unlessSeen = (kind: ShortageKind, check: () => Promise<void>): Check => {
    return async () => {
      const seenAt = shortages.lastSeenAt(kind)
      if (seenAt !== undefined && clock.now() - seenAt < shortageMs) throw new Error(`the server ran short of ${kind}`)
      await check()
    }
  }
  return {
    descriptors: unlessSeen('descriptors', async () => {
      const left = await leftOf('descriptors', async () => descriptors.limit() - descriptors.open())
      if (left < descriptorsMin) throw new Error(`only ${Math.max(0, left)} file descriptors are free`)
    }),
    memory: unlessSeen('memory', async () => {
      const left = await leftOf('memory', free.memory)
      if (left < memoryBytesMin) throw new Error(`only ${inMegabytes(left)} MB of memory are free`)
    }),
    disk: unlessSeen('disk', async () => {
      const left = await leftOf('disk', () => free.disk(folder))
      if (left < diskBytesMin) throw new Error('the disk of the data folder is full')
    }),
    diskSpace: async () => {
      const left = await leftOf('disk', () => free.disk(folder))
      if (left < diskBytesLow) throw new Error(`only ${inMegabytes(left)} MB of the data folder's disk are free`)
    },
  } satisfies Record<string, Check>
}

/**
 * 0 if the shortage itself keeps the resource from being read; infinite if it is unknown: a system that does not show a
 * resource, or not to this user, lacks nothing.
 */
async function leftOf(kind: ShortageKind, read: () => Promise<number | undefined>): Promise<number> {
  try {
    return (await read()) ?? Number.POSITIVE_INFINITY
  } catch (error) {
    return shortageOf(error) === kind ? 0 : Number.POSITIVE_INFINITY
  }
}

const inMegabytes = (bytes: number): number => Math.floor(bytes / 2 ** 20)
