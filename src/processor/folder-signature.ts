import { hash } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Every message costs a look at every file, so of a folder that is too large only the upper part is looked at. */
export const watchedEntriesMax = 4096
export const watchedDepthMax = 8

export interface FolderSignature {
  signature: string
  /** False when the folder is larger or deeper than what is watched. */
  complete: boolean
}

/**
 * A text that is another one when a file below the folder was written, replaced, added or removed. Installed packages
 * and entries with a leading dot do not count. Throws what `readdir` throws when the folder itself cannot be read.
 */
export async function signatureOf(root: string): Promise<FolderSignature> {
  const lines: string[] = []
  const paths = await entriesOf(root)
  let entriesLeft = watchedEntriesMax
  for (let depth = 1; depth <= watchedDepthMax && paths.length > 0 && entriesLeft > 0; depth++) {
    const watched = await Promise.all(paths.splice(0, entriesLeft).map(look))
    entriesLeft -= watched.length
    lines.push(...watched.map(({ line }) => line))
    paths.push(...watched.flatMap(({ below }) => below))
  }
  return { signature: hash('sha256', lines.join('\n')), complete: paths.length === 0 }
}

/** One entry as a line of the signature, and what is below it. What is gone meanwhile is gone. */
async function look(path: string): Promise<{ line: string; below: string[] }> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory()) return { line: path, below: await entriesOf(path).catch(() => []) }
  // The change time also moves when `mv` or `cp -p` puts an older file of the same size in the place of another.
  return { line: `${path} ${found?.mtimeMs} ${found?.ctimeMs} ${found?.size}`, below: [] }
}

async function entriesOf(folder: string): Promise<string[]> {
  const names = await readdir(folder)
  const counted = names.filter((name) => !name.startsWith('.') && name !== 'node_modules')
  return counted.sort().map((name) => join(folder, name))
}
