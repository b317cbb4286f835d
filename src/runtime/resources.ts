import { readdir, readFile, statfs } from 'node:fs/promises'
import { freemem } from 'node:os'
import { join } from 'node:path'

/** Where Linux shows them; a test has a folder of its own. Elsewhere there is nothing to read, and nothing is known. */
export interface SystemFolders {
  self: string
  controlGroups: string
}

const systemFolders: SystemFolders = { self: '/proc/self', controlGroups: '/sys/fs/cgroup' }

/** How many file descriptors this process may still open; undefined if that is unknown or has no limit. */
export async function freeDescriptors({ self } = systemFolders): Promise<number | undefined> {
  const limits = await readText(join(self, 'limits'))
  const limit = /^Max open files\s+(\d+)/m.exec(limits ?? '')?.[1]
  if (limit === undefined) return undefined
  // The list has the descriptor by which it is read.
  const open = (await readdir(join(self, 'fd'))).length - 1
  return Math.max(0, Number(limit) - open)
}

/** How many bytes of memory are left to this process, on the machine and in its control group. */
export async function freeMemory(folders = systemFolders): Promise<number> {
  return Math.min(freemem(), (await freeInGroup(folders)) ?? Number.POSITIVE_INFINITY)
}

/** How many bytes an ordinary user may still write to the file system of this folder; undefined if it does not say. */
export async function freeDisk(folder: string): Promise<number | undefined> {
  const { blocks, bavail, bsize } = await statfs(folder)
  return blocks === 0 ? undefined : bavail * bsize
}

/**
 * What the limit of the control group leaves (version 2). The group's use has the files in the page cache in it, which the
 * kernel drops when memory is asked for: `process.availableMemory()` counts them as used, and is near nothing in a healthy
 * container that has written much.
 */
async function freeInGroup({ self, controlGroups }: SystemFolders): Promise<number | undefined> {
  const path = /^0::(.*)$/m.exec((await readText(join(self, 'cgroup'))) ?? '')?.[1]
  if (path === undefined) return undefined
  const read = (name: string) => readText(join(controlGroups, path, name))
  const [limit, used, stat] = await Promise.all([read('memory.max'), read('memory.current'), read('memory.stat')])
  if (limit === undefined || used === undefined || limit.trim() === 'max') return undefined
  const dropped = [...(stat ?? '').matchAll(/^(?:active_file|inactive_file|slab_reclaimable) (\d+)$/gm)]
  return Number(limit) - Number(used) + dropped.reduce((sum, [, bytes]) => sum + Number(bytes), 0)
}

/** Undefined if there is no such file. */
async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}
