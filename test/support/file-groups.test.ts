import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { shareProcesses } from './file-groups.ts'

function temporaryFolder(t: { after(end: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-groups-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

test('files that share processes lose none of them, and each is loaded once', (t) => {
  const files = globSync('test/**/*.test.ts').sort()
  const run = shareProcesses(files, temporaryFolder(t))
  const groups = run.filter((file) => !files.includes(file)).map((file) => readFileSync(file, 'utf8'))
  assert.ok(groups.length > 3 && run.length < files.length - 50)
  const loaded = groups.flatMap((text) => [...text.matchAll(/"file:[^"]*\/(test\/[^"]*)"/g)].map(([, file]) => file))
  const alone = run.filter((file) => files.includes(file))
  assert.deepEqual([...loaded, ...alone].toSorted(), files)
  assert.ok(alone.includes('test/signature/verify-connect.test.ts'), 'it mocks the time of its process')
})

test('the tests of a group wait for its last file, also where a process ends with the tests that it knows', (t) => {
  const folder = temporaryFolder(t)
  const api = join('test', 'api')
  mkdirSync(join(folder, api), { recursive: true })
  const write = (name: string, start: string) => {
    const text = `import { test } from 'node:test'\n${start}\ntest('of ${name}', () => {})\n`
    writeFileSync(join(folder, api, name), text)
    return join(api, name)
  }
  const files = [write('first.test.mjs', ''), write('second.test.mjs', 'await new Promise(setImmediate)')]
  const before = process.cwd()
  process.chdir(folder)
  t.after(() => process.chdir(before))
  const run = shareProcesses(files, folder)
  assert.equal(run.length, 1)
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const output = execFileSync(process.execPath, ['--test', '--test-force-exit', '--test-reporter=tap', ...run], {
    encoding: 'utf8',
    env,
  })
  for (const name of ['first', 'second']) assert.match(output, new RegExp(`ok \\d+ - of ${name}`))
})
