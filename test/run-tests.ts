import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

/*
 * `node test/run-tests.ts FILE…`: these tests, two files at a time. Whatever becomes of them, nothing of theirs is left:
 * they share one temporary folder, which is removed at the end, after all processes whose command line names it.
 */
const options = [
  '--test',
  '--test-timeout=120000',
  '--test-concurrency=2',
  // The body of a test that has passed its limit goes on, and would keep the run from ending.
  '--test-force-exit',
]
/** How long a test file may take to end after SIGTERM or SIGINT, and what it started after the test file. */
const endMsMax = 10_000
const leaveMsMax = 3_000
const lookEveryMs = 100

/** Answers the exit code of node --test. */
export async function runTests(files: string[], environment: NodeJS.ProcessEnv = {}): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-run-'))
  // PostgreSQL runs as another user where the tests run as root.
  chmodSync(folder, 0o711)
  const env = { ...process.env, ...environment, TMPDIR: folder }
  const child = spawn(process.execPath, [...options, ...files], { env, stdio: 'inherit' })
  let interrupted = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      interrupted = true
      child.kill('SIGTERM')
      void setTimeout(endMsMax, undefined, { ref: false }).then(() => child.kill('SIGKILL'))
    })
  }
  const [status] = await once(child, 'exit')
  await endProcesses(folder)
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: lookEveryMs })
  return interrupted ? 1 : (status ?? 1)
}

/** What ends by itself when its test file has ended, as PostgreSQL does, has some time for it. */
async function endProcesses(folder: string): Promise<void> {
  await waitUntilGone(folder)
  for (const { pid, command } of processesOf(folder)) {
    console.error(`left behind, and killed: process ${pid}, ${command}`)
    try {
      process.kill(pid, 'SIGKILL')
    } catch {}
  }
  await waitUntilGone(folder)
}

async function waitUntilGone(folder: string): Promise<void> {
  for (let waitedMs = 0; processesOf(folder).length > 0 && waitedMs < leaveMsMax; waitedMs += lookEveryMs) {
    await setTimeout(lookEveryMs)
  }
}

/** None where there is no /proc. */
function processesOf(folder: string): { pid: number; command: string }[] {
  return processIds().flatMap((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
      return command.includes(folder) ? [{ pid, command }] : []
    } catch {
      return []
    }
  })
}

function processIds(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isSafeInteger)
  } catch {
    return []
  }
}

if (import.meta.main) process.exitCode = await runTests(process.argv.slice(2))
