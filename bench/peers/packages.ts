import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Scratch } from '../system/scratch.ts'

/** Installs packages in a folder of their own: peers are no dependencies of the project. The output is the folder. */
export function installPackages(scratch: Scratch, names: string[]): string {
  const folder = scratch.folder('peer')
  writeFileSync(join(folder, 'package.json'), '{"private": true}')
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel', 'error']
  execFileSync('npm', ['install', ...flags, ...names], { cwd: folder, stdio: ['ignore', 2, 2] })
  return folder
}
