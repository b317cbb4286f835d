import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Janitor } from './janitor.ts'

/**
 * File systems in memory, by their numbers in statfs(2). A commit costs nothing there, so measurements would be wrong.
 */
const inMemory = new Set([0x01021994, 0x858458f6])

/** Folders of one run, on a disk if there is one. */
export class Scratch {
  readonly path: string
  /** False if no folder on a disk was found: then syncs and bytes written mean nothing. */
  readonly onDisk: boolean

  /** `preferred` is the folder that the user names. */
  constructor(janitor: Janitor, preferred: string | undefined) {
    const candidates = [preferred ?? tmpdir(), '/var/tmp', process.cwd()]
    const parent = candidates.find(isOnDisk)
    this.onDisk = parent !== undefined
    this.path = mkdtempSync(join(parent ?? tmpdir(), 'carillon-bench-'))
    janitor.watchFolder(this.path)
  }

  /** Creates a folder. It is deleted with all its files. */
  folder(name: string): string {
    return mkdtempSync(join(this.path, `${name}-`))
  }

  remove(folder: string): void {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

function isOnDisk(folder: string): boolean {
  try {
    return !inMemory.has(statfsSync(folder).type)
  } catch {
    return false
  }
}
