import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { faults } from '../../conformance/planted-fault.ts'

const run = join(import.meta.dirname, '../../conformance/run.ts')

/** The steps that must notice each fault. */
const noticedBy: Record<string, string> = {
  callback: 'callback unchanged',
  error: 'conflict',
  token: 'paging',
}

test('each fault has a step that notices it', () => {
  assert.deepEqual(Object.keys(noticedBy).sort(), Object.keys(faults).sort())
})

for (const [fault, step] of Object.entries(noticedBy)) {
  test(`the conformance run fails with the planted fault ${fault}, in the step "${step}"`, async (t) => {
    const { promise, resolve } = Promise.withResolvers<{ code: unknown; stdout: string }>()
    execFile(process.execPath, [run, 'js-v3', '--fault', fault], { signal: t.signal }, (error, stdout) =>
      resolve({ code: error?.code, stdout }),
    )
    const { code, stdout } = await promise
    assert.equal(code, 1, stdout)
    assert.match(stdout, new RegExp(`^  \\d+ ${step} `, 'm'))
  })
}
