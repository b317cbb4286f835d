import { spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

/*
 * For run-tests.test.ts: passes its limit with a folder and a process of its own, and its body goes on and starts one
 * more. Both keep this file from ending.
 */
const start = () => {
  const folder = mkdtempSync(join(tmpdir(), 'late-'))
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', folder], {
    stdio: 'ignore',
    detached: true,
  })
  console.log(`started ${child.pid}`)
}

test('takes too long', { timeout: 100 }, async (t) => {
  start()
  await new Promise((resolve) => t.signal.addEventListener('abort', resolve))
  start()
})
