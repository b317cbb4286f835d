import type { Clock } from '../runtime/clock.ts'
import { freeDescriptors, freeDisk, freeMemory } from '../runtime/resources.ts'
import { type ShortageKind, type Shortages, shortageOf } from '../runtime/shortage.ts'
import type { Check } from './readiness.ts'

/** What a function's pipes, a call and this check itself need. */
export const descriptorsMin = 16
/** What a burst of calls needs before the system kills the process. */
export const memoryBytesMin = 32 * 2 ** 20
/** What one batch of large messages needs in the write-ahead log. */
export const diskBytesMin = 256 * 2 ** 10
/** Below this an operator should act. Writes still succeed, so calls need not go elsewhere. */
export const diskBytesToTell = 64 * 2 ** 20
/** How long after the server met a shortage it counts as present. */
export const shortageMs = 10_000

interface ResourceParts {
  clock: Pick<Clock, 'now'>
  shortages: Pick<Shortages, 'lastSeenAt'>
  /** The data folder. */
  folder: string
  free?: Free
}

/** What is left, as the system says it; a test says it itself. */
interface Free {
  descriptors(): Promise<number | undefined>
  memory(): Promise<number>
  disk(folder: string): Promise<number | undefined>
}

const systemFree: Free = { descriptors: freeDescriptors, memory: freeMemory, disk: freeDisk }

/** Whether the server has what it needs for its work. All of it is looked up when somebody asks, and at no other time. */
export function resourceChecks({ clock, shortages, folder, free = systemFree }: ResourceParts) {
  const unlessMet = (kind: ShortageKind, check: () => Promise<void>): Check => {
    return async () => {
      const seenAt = shortages.lastSeenAt(kind)
      if (seenAt !== undefined && clock.now() - seenAt < shortageMs) throw new Error(`the server ran short of ${kind}`)
      await check()
    }
  }
  return {
    descriptors: unlessMet('descriptors', async () => {
      const left = await free.descriptors().catch(noneIfShort)
      if (left !== undefined && left < descriptorsMin) throw new Error(`only ${left} file descriptors are free`)
    }),
    memory: unlessMet('memory', async () => {
      const left = await free.memory()
      if (left < memoryBytesMin) throw new Error(`only ${inMegabytes(left)} MB of memory are free`)
    }),
    disk: unlessMet('disk', async () => {
      const left = await free.disk(folder)
      if (left !== undefined && left < diskBytesMin) throw new Error('the disk of the data folder is full')
    }),
    diskSpace: async () => {
      const left = await free.disk(folder)
      if (left === undefined || left >= diskBytesToTell) return
      throw new Error(`only ${inMegabytes(left)} MB of the data folder's disk are free`)
    },
  } satisfies Record<string, Check>
}

/** The look itself takes a descriptor. */
function noneIfShort(error: unknown): number {
  if (shortageOf(error) === 'descriptors') return 0
  throw error
}

const inMegabytes = (bytes: number): number => Math.floor(bytes / 2 ** 20)
