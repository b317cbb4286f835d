import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

/** Without end it would go on for ever. */
const runMsMax = 60_000

/** A process that has died and that its parent has not asked for yet has no command line. */
function isAlive(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== ''
  } catch {
    return false
  }
}

const noProc = process.platform === 'linux' ? false : 'what a test leaves behind is found in /proc'

test('a run that timed out leaves no process and no folder', { skip: noProc }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-run-tests-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const script = join(import.meta.dirname, '../run-tests.ts')
  // Else node --test takes itself for a test file of this run.
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env
  const env = { ...environment, TMPDIR: folder }
  const { promise, resolve } = Promise.withResolvers<{ code: unknown; stdout: string; stderr: string }>()
  execFile(
    process.execPath,
    [script, join(import.meta.dirname, 'late.mjs')],
    { env, timeout: runMsMax },
    (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }),
  )
  const { code, stdout, stderr } = await promise
  assert.equal(code, 1)
  const started = [...stdout.matchAll(/started (\d+)/g)].map(([, pid]) => Number(pid))
  assert.equal(started.length, 2, stdout)
  for (const pid of started) {
    assert.match(stderr, new RegExp(`^left behind, and killed: process ${pid}, `, 'm'))
    assert.ok(!isAlive(pid))
  }
  assert.deepEqual(readdirSync(folder), [])
})
