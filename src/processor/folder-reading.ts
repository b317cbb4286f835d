import { hash } from 'node:crypto'
import type { Stats } from 'node:fs'
import { lstat, readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'

/** A reading looks at every entry, so only the upper part of a folder that is too large is read. */
export const watchedEntriesMax = 4096
export const watchedDepthMax = 8
/** Entries that may make a function are looked at beyond that limit, up to this many. */
export const namesMax = 16_384
/** Looks at once, so that other work with files is not held up. */
const looksAtOnceMax = 1024

export interface FolderReading {
  /** Changes when a file below the folder is written, replaced, added or removed. */
  signature: string
  /** False when the folder is larger or deeper than the limits: changes beyond them are not noticed. */
  complete: boolean
  /** False when there are more possible functions than the limit: then a name that was not found may exist. */
  namesComplete: boolean
  /** Changes when another folder replaces this one. */
  identity: string
  files: Set<string>
  /** Entries that are there and that the server cannot look at: it has no permission, or a link leads nowhere. */
  unreadable: Map<string, Error>
}

/** Called before a folder is listed, so that a watch which starts there misses nothing. */
export type Enter = (path: string, identity: string) => void

/** An entry that was deleted before it was read, or a broken link. */
const goneCodes = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG']
const deniedCodes = ['EACCES', 'EPERM']
/** Each of these files makes its folder a function. */
const entryPattern = /^(?:function\.json|index\.\w+)$/

/**
 * Reads a folder and what is below it. Installed packages and entries with a leading dot do not count. Throws when the
 * folder itself cannot be read, or when the system fails at an entry: then nothing is known about the folder.
 */
export async function readFolder(root: string, enter: Enter = () => {}): Promise<FolderReading> {
  const identity = identityOf(await statRoot(root))
  enter(root, identity)
  const reading = { identity, files: new Set<string>(), unreadable: new Map<string, Error>() }
  const lines: string[] = []
  const missed = { names: false, others: false }
  let level = await entriesOf(root)
  let lookedAt = 0
  for (let depth = 1; depth <= watchedDepthMax && level.length > 0; depth++) {
    const { names, others } = split(level, depth)
    const paths = names.slice(0, namesMax - lookedAt)
    missed.names ||= paths.length < names.length
    paths.push(...others.slice(0, Math.max(0, watchedEntriesMax - lookedAt - paths.length)))
    missed.others ||= paths.length < level.length
    lookedAt += paths.length
    const looks = await lookAt(paths, enter)
    for (const { path, line, isFile, failure } of looks) {
      lines.push(line)
      if (isFile) reading.files.add(path)
      if (failure) reading.unreadable.set(path, failure)
    }
    level = looks.flatMap(({ below }) => below)
  }
  const complete = !missed.others && level.length === 0
  return { ...reading, signature: hash('sha256', lines.join('\n')), complete, namesComplete: !missed.names }
}

/** A link that leads nowhere is a folder that is away, and not one that was never there. */
async function statRoot(root: string): Promise<Stats> {
  try {
    return await stat(root)
  } catch (error) {
    if (!isGone(error) || !(await isLink(root))) throw error
    throw new Error(`${root} is a link that leads nowhere`, { cause: error })
  }
}

/** Any entry of the upper level may make a function, and some of those below it. */
function split(level: string[], depth: number): { names: string[]; others: string[] } {
  if (depth === 1) return { names: level, others: [] }
  if (depth > 2) return { names: [], others: level }
  const { names = [], others = [] } = Object.groupBy(level, (path) =>
    entryPattern.test(basename(path)) ? 'names' : 'others',
  )
  return { names, others }
}

interface Look {
  path: string
  line: string
  below: string[]
  isFile?: boolean
  failure?: Error
}

async function lookAt(paths: string[], enter: Enter): Promise<Look[]> {
  const looks: Look[] = []
  for (let from = 0; from < paths.length; from += looksAtOnceMax) {
    looks.push(...(await Promise.all(paths.slice(from, from + looksAtOnceMax).map((path) => look(path, enter)))))
  }
  return looks
}

async function look(path: string, enter: Enter): Promise<Look> {
  try {
    const found = await stat(path)
    if (found.isDirectory()) {
      enter(path, identityOf(found))
      return { path, line: path, below: await entriesOf(path) }
    }
    // The change time also moves when `mv` or `cp -p` puts an older file of the same size in the place of another.
    // The inode, too: a file system's clock moves every few milliseconds, so all times of two files may be equal.
    const line = `${path} ${found.ino} ${found.mtimeMs} ${found.ctimeMs} ${found.size}`
    return { path, line, below: [], isFile: found.isFile() }
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (!isGone(error) && !deniedCodes.includes(code)) throw error
    if (isGone(error) && !(await isLink(path))) return { path, line: `${path} gone`, below: [] }
    return { path, line: `${path} ${code}`, below: [], failure: error as Error }
  }
}

/** The target of a link may be away for a while, as with a disk that is not mounted. */
async function isLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink()
  } catch (error) {
    if (isGone(error)) return false
    throw error
  }
}

const isGone = (error: unknown) => goneCodes.includes((error as NodeJS.ErrnoException).code ?? '')

const identityOf = ({ dev, ino }: Stats) => `${dev}:${ino}`

async function entriesOf(folder: string): Promise<string[]> {
  const names = await readdir(folder)
  return names
    .filter(isCounted)
    .sort()
    .map((name) => join(folder, name))
}

/** Whether an entry with this name is read. */
export const isCounted = (name: string) => !name.startsWith('.') && name !== 'node_modules'
