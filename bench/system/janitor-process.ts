import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { descendantsOf, startOf } from './process-tree.ts'

/** What may be left: a process, a folder, or a work tree of git. */
export type Left = { pid: number } | { folder: string } | { workTree: string; repository: string }

/** With the moment at which each process was started, since its id may be another's by then. */
const processes = new Map<number, string | undefined>()
const folders = new Set<string>()
const workTrees = new Map<string, string>()

// A terminal's signals are for the benchmarks alone: their end is the sign.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

process.on('message', (left: Left) => {
  if ('pid' in left) processes.set(left.pid, startOf(left.pid))
  else if ('folder' in left) folders.add(left.folder)
  else workTrees.set(left.workTree, left.repository)
})

process.on('disconnect', () => {
  for (const [pid, start] of processes) if (start !== undefined && startOf(pid) === start) endTree(pid)
  for (const [workTree, repository] of workTrees) attempt(() => removeWorkTree(workTree, repository))
  for (const folder of folders) attempt(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  process.exit()
})

function endTree(root: number): void {
  for (const pid of [root, ...descendantsOf(root)]) attempt(() => process.kill(pid, 'SIGKILL'))
}

function removeWorkTree(workTree: string, repository: string): void {
  execFileSync('git', ['-C', repository, 'worktree', 'remove', '--force', workTree], { stdio: 'ignore' })
}

function attempt(act: () => void): void {
  try {
    act()
  } catch {
    // It is gone already, or goes with the rest.
  }
}
