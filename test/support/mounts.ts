import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { unlessPermitted } from './required.ts'

/** Why no file system can be mounted here, or false if one can. */
export function mountIsMissing(): string | false {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-mount-'))
  try {
    const { status } = spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', folder], { stdio: 'ignore' })
    if (status !== 0) return unlessPermitted('only root may mount a file system, and not in most containers')
    execFileSync('umount', [folder])
    return false
  } finally {
    rmdirSync(folder)
  }
}

/** A separate file system in memory. It is removed after the test. */
export async function mountTmpfs(context: TestContext, size: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-mount-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder])
  context.after(() => {
    // Lazily: a process of the test may not have ended yet. The test itself may have unmounted it.
    spawnSync('umount', ['--lazy', folder], { stdio: 'ignore' })
    rmdirSync(folder)
  })
  return folder
}
