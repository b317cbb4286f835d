import { hash } from 'node:crypto'
import type { Stats } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'

/** A reading looks at every entry, so only the upper part of a folder that is too large is read. */
export const watchedEntriesMax = 4096
export const watchedDepthMax = 8

export interface FolderReading {
  /** Another one when a file below the folder was written, replaced, added or removed. */
  signature: string
  /** False when the folder is larger or deeper than what is read. */
  complete: boolean
  /** Another one when another folder has taken the place of this one. */
  identity: string
  files: Set<string>
  /** What the server has no permission for. */
  denied: Map<string, Error>
}

/** Called before a folder is listed, so that a watch which starts there misses nothing. */
export type Enter = (path: string, identity: string) => void

/** An entry that is gone by the time it is looked at, or leads nowhere. */
const goneCodes = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG']
const deniedCodes = ['EACCES', 'EPERM']
/** What makes a function. It is looked at before its neighbours, in case they are too many. */
const entryPattern = /^(?:function\.json|index\.\w+)$/

/**
 * Reads a folder and what is below it. Installed packages and entries with a leading dot do not count. Throws when the
 * folder itself cannot be read, or when the system fails at an entry: then nothing is known of the whole.
 */
export async function readFolder(root: string, enter: Enter = () => {}): Promise<FolderReading> {
  const identity = identityOf(await stat(root))
  enter(root, identity)
  const reading = { identity, files: new Set<string>(), denied: new Map<string, Error>() }
  const lines: string[] = []
  let paths = await entriesOf(root)
  let entriesLeft = watchedEntriesMax
  for (let depth = 1; depth <= watchedDepthMax && paths.length > 0 && entriesLeft > 0; depth++) {
    const looks = await Promise.all(paths.splice(0, entriesLeft).map((path) => look(path, enter)))
    entriesLeft -= looks.length
    lines.push(...looks.map(({ line }) => line))
    for (const { path, isFile, denial } of looks) {
      if (isFile) reading.files.add(path)
      if (denial) reading.denied.set(path, denial)
    }
    paths = [...paths, ...looks.flatMap(({ below }) => below)].sort((a, b) => rank(a) - rank(b))
  }
  return { ...reading, signature: hash('sha256', lines.join('\n')), complete: paths.length === 0 }
}

interface Look {
  path: string
  line: string
  below: string[]
  isFile?: boolean
  denial?: Error
}

async function look(path: string, enter: Enter): Promise<Look> {
  try {
    const found = await stat(path)
    if (found.isDirectory()) {
      enter(path, identityOf(found))
      return { path, line: path, below: await entriesOf(path) }
    }
    // The change time also moves when `mv` or `cp -p` puts an older file of the same size in the place of another.
    const line = `${path} ${found.mtimeMs} ${found.ctimeMs} ${found.size}`
    return { path, line, below: [], isFile: found.isFile() }
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (goneCodes.includes(code)) return { path, line: `${path} gone`, below: [] }
    if (deniedCodes.includes(code)) return { path, line: `${path} denied`, below: [], denial: error as Error }
    throw error
  }
}

const identityOf = ({ dev, ino }: Stats) => `${dev}:${ino}`

const rank = (path: string) => (entryPattern.test(basename(path)) ? 0 : 1)

async function entriesOf(folder: string): Promise<string[]> {
  const names = await readdir(folder)
  return names
    .filter(isCounted)
    .sort()
    .map((name) => join(folder, name))
}

/** Whether an entry with this name is read. */
export const isCounted = (name: string) => !name.startsWith('.') && name !== 'node_modules'
