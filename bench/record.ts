import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import type { Summary } from './figures.ts'
import type { Options } from './options.ts'

/** The results of a run, with the machine and the version. */
export interface RunRecord {
  at: string
  /** The commit of the working tree; `+` if files had been changed since. */
  commit: string
  machine: { processors: string; loadBefore: number; node: string; onDisk: boolean }
  options: Pick<Options, 'seconds' | 'rounds' | 'quick' | 'against'>
  parts: Record<string, Summary>
}

const folder = join(import.meta.dirname, 'results')
const lastRun = join(import.meta.dirname, 'last-run.json')

export function newRecord(root: string, options: Options, onDisk: boolean): RunRecord {
  const [first] = cpus()
  const { seconds, rounds, quick, against } = options
  return {
    at: new Date().toISOString(),
    commit: commitOf(root),
    machine: {
      processors: `${cpus().length} × ${first?.model.trim()}`,
      loadBefore: loadavg()[0] ?? 0,
      node: process.version,
      onDisk,
    },
    options: { seconds, rounds, quick, against },
    parts: {},
  }
}

/** Writes a run's record, or the one that later runs are compared with. The path is the output. */
export function writeRecord(record: RunRecord, commit: boolean): string {
  mkdirSync(folder, { recursive: true })
  const path = commit ? lastRun : join(folder, `${record.at.replaceAll(':', '-')}.json`)
  writeFileSync(path, JSON.stringify(record, undefined, 2) + '\n')
  return path
}

/** The run with which later ones are compared, if there is one. */
export function lastCommittedRun(): RunRecord | undefined {
  return existsSync(lastRun) ? (JSON.parse(readFileSync(lastRun, 'utf8')) as RunRecord) : undefined
}

/** The folder for CPU profiles of a run. */
export function profileFolderOf({ at }: RunRecord): string {
  const path = join(folder, `${at.replaceAll(':', '-')}-profiles`)
  mkdirSync(path, { recursive: true })
  return path
}

function commitOf(root: string): string {
  try {
    const git = (...args: string[]) => execFileSync('git', ['-C', root, ...args], { encoding: 'utf8' }).trim()
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+')
  } catch {
    return 'unknown'
  }
}
