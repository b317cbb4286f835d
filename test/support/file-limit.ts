import { execFileSync, spawnSync } from 'node:child_process'

/** Why the limit cannot be set here, or false if it can. */
export const fileLimitIsMissing = (): string | false =>
  spawnSync('prlimit', ['--version']).error ? 'prlimit (util-linux) is not installed' : false

/**
 * Lets a process write only into the first bytes of any file, or anywhere with `unlimited`. Writes beyond them fail
 * with EFBIG: to SQLite an input/output error, like that of a broken disk. The hard limit stays, so that an ordinary
 * user can lift the soft one.
 */
export function limitFiles(pid: number | undefined, bytes: number | 'unlimited'): void {
  execFileSync('prlimit', [`--fsize=${bytes}:`, '--pid', String(pid)])
}
