import { execFileSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Version } from '../bench.ts'
import type { Janitor } from './janitor.ts'
import type { Scratch } from './scratch.ts'

/** Checks a version out beside the data of the run. It shares the installed packages of the working tree. */
export function checkOut(reference: string, root: string, scratch: Scratch, janitor: Janitor): Version {
  const workTree = join(scratch.path, 'against')
  execFileSync('git', ['-C', root, 'worktree', 'add', '--detach', workTree, reference], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  janitor.watchWorkTree(workTree, root)
  symlinkSync(join(root, 'node_modules'), join(workTree, 'node_modules'))
  return { label: reference, root: workTree }
}
