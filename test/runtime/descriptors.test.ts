import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { processDescriptors } from '../../src/runtime/descriptors.ts'
import { unlessRequired } from '../support/required.ts'

const skip = unlessRequired(process.platform !== 'linux' && 'only Linux shows the descriptors of a process in a folder')

const limitsOf = (soft: string) => `Max open files            ${soft}            1048576            files\n`

/** A folder like /proc/self, with this limit. */
function processFolder(t: TestContext, limits?: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-descriptors-'))
  t.after(() => rmSync(folder, { recursive: true }))
  if (limits !== undefined) writeFileSync(join(folder, 'limits'), limits)
  return folder
}

suite('the descriptors of a process', { skip }, () => {
  test('are counted, and so are those that the soft limit allows', async () => {
    const source = `
      import { openSync } from 'node:fs'
      import { processDescriptors } from ${JSON.stringify(new URL('../../src/runtime/descriptors.ts', import.meta.url))}
      const descriptors = processDescriptors()
      const before = descriptors.open()
      for (let opened = 0; opened < 10; opened += 1) openSync('/dev/null')
      console.log(descriptors.limit(), descriptors.open() - before)`
    const command = `ulimit -n 200; exec "$0" --input-type=module --eval "$1"`
    const child = spawn('sh', ['-c', command, process.execPath, source], { stdio: ['ignore', 'pipe', 'inherit'] })
    let printed = ''
    child.stdout.on('data', (text) => {
      printed += text
    })
    await once(child, 'close')
    assert.equal(printed, '200 10\n')
  })

  test('have no limit where it is unlimited', (t) => {
    assert.equal(processDescriptors(processFolder(t, limitsOf('unlimited'))).limit(), Number.POSITIVE_INFINITY)
  })

  test('have an assumed limit where the system does not show it, or not to this user', (t) => {
    const unreadable = processFolder(t)
    // Root may read everything but a folder in the place of a file.
    mkdirSync(join(unreadable, 'limits'))
    writeFileSync(join(unreadable, 'fd'), '')
    const folders = [processFolder(t), processFolder(t, 'none of the expected lines\n'), unreadable]
    for (const folder of folders) {
      const descriptors = processDescriptors(folder)
      assert.deepEqual([descriptors.limit(), descriptors.open()], [16_384, 0])
    }
  })
})
