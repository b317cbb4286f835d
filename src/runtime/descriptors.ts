import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { shortageOf } from './shortage.ts'

/** The file descriptors of a process: each connection, file and pipe takes one. */
export interface Descriptors {
  /** The maximum of open descriptors. Throws if no descriptor is left to read the limit. */
  limit(): number
  /** The number of open descriptors; 0 if that is unknown. */
  open(): number
}

/** The limit on a system that does not show one. Windows has none. */
const limitAssumed = 16_384

/** The descriptors of this process. `processFolder` shows them on Linux. */
export function processDescriptors(processFolder = '/proc/self'): Descriptors {
  // `prlimit` may change the limit while the process runs.
  if (process.platform === 'linux')
    return { limit: () => readLimit(processFolder), open: () => countOpen(processFolder) }
  const limitAtStart = reportedLimit()
  return { limit: () => limitAtStart, open: () => countEntries('/dev/fd') }
}

/** The soft limit: Node has raised it to the hard one before any of this runs. */
function readLimit(processFolder: string): number {
  const limits = unlessUnreadable('', () => readFileSync(join(processFolder, 'limits'), 'utf8'))
  const [, soft = ''] = /^Max open files +(\w+)/m.exec(limits) ?? []
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number.parseInt(soft, 10) || limitAssumed
}

/** Reading the folder's size takes 10 µs and no descriptor; before Linux 6.2 it is 0. Listing 10,000 takes 19 ms. */
function countOpen(processFolder: string): number {
  const folder = join(processFolder, 'fd')
  return unlessUnreadable(0, () => statSync(folder).size) || countEntries(folder)
}

const countEntries = (folder: string): number => unlessUnreadable(0, () => readdirSync(folder).length)

/** A container may lack /proc, or close it to the process. That is no reason to reject calls; a shortage is. */
function unlessUnreadable<T>(otherwise: T, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (shortageOf(error) === 'descriptors') throw error
    return otherwise
  }
}

function reportedLimit(): number {
  const report = process.report?.getReport() as { userLimits?: { open_files?: { soft?: number | string } } } | undefined
  const soft = report?.userLimits?.open_files?.soft
  if (soft === 'unlimited') return Number.POSITIVE_INFINITY
  return typeof soft === 'number' ? soft : limitAssumed
}
