import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { shareProcesses } from './support/file-groups.ts'
import { allowed } from './support/required.ts'

/*
 * `node test/run-tests.ts FILE…`: these tests, in two processes at a time. Whatever becomes of them, nothing of theirs is
 * left: they share one temporary folder, which is removed at the end, after all processes whose command line names it. With
 * CARILLON_TEST_REQUIRE=all the run fails if a test was skipped, but for those that are allowed to be.
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

/** Returns the exit code of node --test, or 1 if a test was skipped that must run. */
export async function runTests(patterns: string[], environment: NodeJS.ProcessEnv = {}): Promise<number> {
  const files = globSync(patterns, { exclude: ['**/node_modules/**'] }).sort()
  if (files.length === 0) throw new Error(`no file is ${patterns.join(' or ')}`)
  const folder = mkdtempSync(join(tmpdir(), 'carillon-run-'))
  // PostgreSQL runs as another user where the tests run as root.
  chmodSync(folder, 0o711)
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    ...environment,
    TMPDIR: folder,
    // Hundreds of processes load the same files: a third of the time in which a server starts.
    NODE_COMPILE_CACHE: join(folder, 'compiled'),
  }
  const skips = join(folder, 'skipped')
  const reporters = ['spec', 'stdout', join(import.meta.dirname, 'support/skip-report.ts'), skips].map(
    (value, index) => `--test-reporter${index % 2 ? '-destination' : ''}=${value}`,
  )
  const child = spawn(process.execPath, [...options, ...reporters, ...shareProcesses(files, folder)], {
    env,
    stdio: 'inherit',
  })
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
  const complete = env.CARILLON_TEST_REQUIRE !== 'all' || nothingWasSkipped(readFileSync(skips, 'utf8'))
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: lookEveryMs })
  return interrupted || !complete ? 1 : (status ?? 1)
}

/** Says what was skipped, and whether all of it is allowed. */
function nothingWasSkipped(report: string): boolean {
  const skips = report.split('\n').filter(Boolean)
  const wrong = skips.filter((skip) => !skip.includes(` # ${allowed}`))
  for (const skip of skips) console.error(`${wrong.includes(skip) ? 'MUST NOT BE SKIPPED' : 'skipped'}: ${skip}`)
  return wrong.length === 0
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
