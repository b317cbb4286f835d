import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const launcher = join(root, 'bin/carillon.js')

function temporaryFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-launcher-'))
  context.after(() => rmSync(folder, { recursive: true }))
  return folder
}

/** A project whose src and dist say which of them runs. */
function project(folder: string, entries: string[]): string {
  mkdirSync(join(folder, 'bin'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  copyFileSync(launcher, join(folder, 'bin/carillon.js'))
  for (const entry of entries) {
    mkdirSync(join(folder, entry, '..'))
    writeFileSync(join(folder, entry), `console.log('${entry}', ...process.argv.slice(2))`)
  }
  return join(folder, 'bin/carillon.js')
}

suite('bin/carillon.js', () => {
  test('is a program: npm leaves the mode of files in a clone as it is', () => {
    assert.equal(statSync(launcher).mode & 0o111, 0o111)
  })

  test('runs src/ in a clone, whatever dist/ an older build left', async (t) => {
    const program = project(temporaryFolder(t), ['src/main.ts', 'dist/main.js'])
    assert.equal((await run(process.execPath, [program, 'keys', 'list'])).stdout, 'src/main.ts keys list\n')
  })

  test('runs dist/ in the package, which has no src/', async (t) => {
    const program = project(temporaryFolder(t), ['dist/main.js'])
    assert.equal((await run(process.execPath, [program, 'help'])).stdout, 'dist/main.js help\n')
  })
})

test('npx carillon runs this clone, with the Node that npm ci brought, whichever Node the machine has', async (t) => {
  const outside = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'))
  const env = {
    PATH: outside.join(delimiter),
    HOME: process.env.HOME,
    npm_config_cache: temporaryFolder(t),
    npm_config_offline: 'true',
  }
  const { stdout } = await run('npx', ['carillon', 'version'], { cwd: root, env })
  assert.match(stdout, /^carillon \d+\.\d+\.\d+\n$/)
})
