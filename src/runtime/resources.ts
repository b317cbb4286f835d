import { readFile, statfs } from 'node:fs/promises'
import { join } from 'node:path'

/** Where Linux shows memory; a test has folders of its own. */
interface SystemFolders {
  processes: string
  controlGroups: string
}

const systemFolders: SystemFolders = { processes: '/proc', controlGroups: '/sys/fs/cgroup' }

/**
 * How many bytes of memory are left to this process, on the machine and in its control group; undefined if that is
 * unknown. Only Linux says how much is available. `freemem()` of Node leaves out the page cache elsewhere, and where /proc
 * is missing: by that number a healthy machine has next to nothing free.
 */
export async function freeMemory(folders = systemFolders): Promise<number | undefined> {
  const known = (await Promise.all([availableOnMachine(folders), freeInGroup(folders)])).filter(
    (left) => left !== undefined,
  )
  return known.length === 0 ? undefined : Math.min(...known)
}

/** How many bytes this process may still write to the file system of a folder; undefined if the file system has no size. */
export async function freeDisk(folder: string): Promise<number | undefined> {
  return freeOf(await statfs(folder), process.getuid?.())
}

/** ext4 keeps 5 % for root: a disk that is full for all others still takes the writes of a server that runs as root. */
export function freeOf(disk: { blocks: number; bfree: number; bavail: number; bsize: number }, userId?: number) {
  if (disk.blocks === 0) return undefined
  return (userId === 0 ? disk.bfree : disk.bavail) * disk.bsize
}

async function availableOnMachine({ processes }: SystemFolders): Promise<number | undefined> {
  const kilobytes = /^MemAvailable: +(\d+) kB$/m.exec((await readText(join(processes, 'meminfo'))) ?? '')?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024
}

/**
 * What the limit of the control group (version 2) leaves. The usage of a group includes files in the page cache, which the
 * kernel drops when a process needs memory: `process.availableMemory()` counts them as used, and is close to 0 in a healthy
 * container that has written much.
 */
async function freeInGroup({ processes, controlGroups }: SystemFolders): Promise<number | undefined> {
  const path = /^0::(.*)$/m.exec((await readText(join(processes, 'self/cgroup'))) ?? '')?.[1]
  if (path === undefined) return undefined
  const read = (name: string) => readText(join(controlGroups, path, name))
  const [limit, used, stat] = await Promise.all([read('memory.max'), read('memory.current'), read('memory.stat')])
  if (limit === undefined || used === undefined || stat === undefined || limit.trim() === 'max') return undefined
  const dropped = [...stat.matchAll(/^(?:active_file|inactive_file|slab_reclaimable) (\d+)$/gm)]
  return Number(limit) - Number(used) + dropped.reduce((sum, [, bytes]) => sum + Number(bytes), 0)
}

/** Undefined if the file is missing or unreadable. */
const readText = (path: string): Promise<string | undefined> => readFile(path, 'utf8').catch(() => undefined)
