import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { unlessRequired } from '../support/required.ts'

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

/** Runs the tests of a file beside this one. */
async function run(file: string, variables: Record<string, string>) {
  const script = join(import.meta.dirname, '../run-tests.ts')
  // Else node --test takes itself for a test file of this run.
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env
  const env = { ...environment, ...variables }
  const { promise, resolve } = Promise.withResolvers<{ code: unknown; stdout: string; stderr: string }>()
  execFile(
    process.execPath,
    [script, join(import.meta.dirname, file)],
    { env, timeout: runMsMax },
    (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }),
  )
  return promise
}

const noProc = unlessRequired(process.platform !== 'linux' && 'what a test leaves behind is found in /proc')

test('a run that timed out leaves no process and no folder', { skip: noProc }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-run-tests-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const { code, stdout, stderr } = await run('late.mjs', { TMPDIR: folder })
  assert.equal(code, 1)
  const started = [...stdout.matchAll(/started (\d+)/g)].map(([, pid]) => Number(pid))
  assert.equal(started.length, 2, stdout)
  for (const pid of started) {
    assert.match(stderr, new RegExp(`^left behind, and killed: process ${pid}, `, 'm'))
    assert.ok(!isAlive(pid))
  }
  assert.deepEqual(readdirSync(folder), [])
})

test('a run in which nothing may be skipped names what was, and fails unless it is allowed', async () => {
  const all = { CARILLON_TEST_REQUIRE: 'all' }
  const some = await run('skipping.mjs', all)
  assert.equal(some.code, 1)
  const lines = some.stderr.split('\n').filter((line) => line.includes('skipping.mjs: '))
  assert.deepEqual(
    lines.map((line) => line.replace(/: .*skipping/, ': skipping')),
    [
      'skipped: skipping.mjs: allowed # allowed: only root may do this',
      'MUST NOT BE SKIPPED: skipping.mjs: a test # a tool is missing',
      'MUST NOT BE SKIPPED: skipping.mjs: a suite # a tool is missing',
    ],
  )
  assert.equal((await run('skipping.mjs', { CARILLON_TEST_REQUIRE: '' })).code, 0)
  assert.equal((await run('skipping.mjs', { ...all, SKIP_WHAT_IS_ALLOWED: 'true' })).code, 0)
})
