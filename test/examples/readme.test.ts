import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { readConfig } from '../../src/config.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { startServer } from '../../src/server.ts'
import { type Setting, settings } from '../../src/settings.ts'

const root = join(import.meta.dirname, '../..')
const readme = await readFile(join(root, 'README.md'), 'utf8')
const settingsPage = await readFile(join(root, 'docs/settings.md'), 'utf8')

test('the settings page has the settings as they are, in their order', () => {
  const rows = settingsPage.match(/^\| .*`CARILLON_.*\|$/gm) ?? []
  const cells = rows.map((row) => row.replaceAll('`', '').split('|').slice(1, -1))
  assert.deepEqual(
    cells.map((row) => row.map((cell) => cell.trim())),
    Object.values<Setting>(settings).map(({ flag = '', variable, preset = '', about }) => [
      flag,
      variable,
      preset,
      about,
    ]),
  )
})

test('the README is read in one sitting', () => {
  const lines = readme.split('\n').length
  assert.ok(lines <= 130, `README.md has ${lines} lines: move what not everybody needs to docs/`)
})

test('the block of the README does what it says, when it is pasted', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'carillon-readme-'))
  const flags = ['--data-dir', join(folder, 'data'), '--functions', join(root, 'functions')]
  const { config } = readConfig([...flags, '--http-port', '0', '--https-port', '0'], {}, () => '')
  const world = { clock: systemClock, log: silentLog, newId: randomUUID, random: Math.random }
  const server = await startServer(config, world)
  t.after(async () => {
    await server.close()
    await rm(folder, { recursive: true })
  })
  const [block = ''] = /export AWS_CONFIG_FILE.*?\nEND\n/s.exec(readme) ?? []
  const script = block.replaceAll('=data/', `=${join(folder, 'data')}/`)
  const { stdout } = await promisify(execFile)('sh', ['-c', script], {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: folder, CARILLON_DATA_DIR: join(folder, 'data') },
  })
  assert.equal(stdout, 'SENT Call [phone]\n')
  assert.ok(readme.includes('It prints `SENT Call [phone]`.'))
})
