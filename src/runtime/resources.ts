import { readFile, statfs } from 'node:fs/promises'
import { join } from 'node:path'

/** The folders in which Linux shows memory; a test passes other ones. */
interface SystemFolders {
  processes: string
  controlGroups: string
}

const systemFolders: SystemFolders = { processes: '/proc', controlGroups: '/sys/fs/cgroup' }

/**
 * The bytes of memory that are left to this process, on the machine and in its control group; undefined if that is
 * unknown. Only Linux shows how much is available. On other systems and without /proc, `freemem()` of Node leaves out
 * the page cache: by that number a healthy machine has next to nothing free.
 */
export async function freeMemory(folders = systemFolders): Promise<number | undefined> {
  const known = (await Promise.all([availableOnMachine(folders), freeInGroup(folders)])).filter(
    (left) => left !== undefined,
  )
  return known.length === 0 ? undefined : Math.min(...known)
}

/**
 * The bytes that this process can still write to the file system of a folder; undefined if the file system has no size.
 */
export async function freeDisk(folder: string): Promise<number | undefined> {
  return freeOf(await statfs(folder), process.getuid?.())
}

/**
 * ext4 reserves 5 % for root: a disk that is full for other users still accepts writes of a server that runs as root.
 */
export function freeOf(disk: { blocks: number; bfree: number; bavail: number; bsize: number }, userId?: number) {
  if (disk.blocks === 0) return undefined
  return (userId === 0 ? disk.bfree : disk.bavail) * disk.bsize
}

async function availableOnMachine({ processes }: SystemFolders): Promise<number | undefined> {
  const kilobytes = /^MemAvailable: +(\d+) kB$/m.exec((await readText(join(processes, 'meminfo'))) ?? '')?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024
}

/**
 * The memory that the limit of the control group (version 2) leaves. The usage of a group includes the page cache,
 * which the kernel drops when a process needs memory: `process.availableMemory()` counts them as used, and is close to
 * 0 in a healthy container that has written much.
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
