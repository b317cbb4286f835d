import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, before, suite, type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { findPython } from '../support/python.ts'
import { unlessRequired } from '../support/required.ts'

/*
 * The examples of docs/testing.md, in a project as a reader has it: with Carillon as its package and the samples as its
 * functions.
 */
const root = join(import.meta.dirname, '../..')
const examples = join(root, 'examples/testing')
const vitestModules = join(root, 'test/vitest/node_modules')

let project: string
before(async () => {
  project = await mkdtemp(join(tmpdir(), 'carillon-testing-'))
  const modules = join(project, 'node_modules')
  for (const folder of ['node_modules/carillon', 'tmp']) mkdirSync(join(project, folder), { recursive: true })
  for (const from of [join(root, 'node_modules'), vitestModules]) linkAll(from, modules)
  for (const name of ['package.json', 'bin'])
    cpSync(join(root, name), join(modules, 'carillon', name), { recursive: true })
  // Not into dist/ of the project: another test packs that at the same time.
  const dist = join(modules, 'carillon/dist')
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  await promisify(execFile)(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', dist], { cwd: root })
  cpSync(join(root, 'src/store/migrations'), join(dist, 'store/migrations'), { recursive: true })
  cpSync(join(root, 'examples/processors'), join(project, 'functions'), { recursive: true })
  cpSync(examples, project, { recursive: true })
})
after(() => rm(project, { recursive: true, force: true }))

/** Links packages, those in a scope one by one. What is there already stays. */
function linkAll(from: string, to: string): void {
  if (!existsSync(from)) return
  for (const name of readdirSync(from)) {
    if (name.startsWith('.') || (existsSync(join(to, name)) && !name.startsWith('@'))) continue
    if (name.startsWith('@')) {
      mkdirSync(join(to, name), { recursive: true })
      linkAll(join(from, name), join(to, name))
    } else symlinkSync(join(from, name), join(to, name))
  }
}

/** Runs a command in the project, and returns what it prints. */
async function run(t: TestContext, command: string, args: string[]): Promise<string> {
  // A group of its own, so that nothing outlives a test that is cut off.
  const child = spawn(command, args, {
    cwd: project,
    env: {
      PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
      HOME: join(project, 'tmp'),
      TMPDIR: join(project, 'tmp'),
      PYTHONDONTWRITEBYTECODE: '1',
      NO_COLOR: '1',
    },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => killGroup(child.pid!))
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
  }
  const [status] = await once(child, 'close')
  assert.equal(status, 0, printed)
  return printed
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // As it should be: nothing is left of it.
  }
}

/** A server that was stopped has left none. */
const temporaryFolders = () => readdirSync(join(project, 'tmp')).filter((name) => name.startsWith('carillon'))
const withoutVitest = existsSync(vitestModules) ? false : 'Vitest is not installed: npm ci --prefix test/vitest'
const { python, missing: withoutPytest } = findPython(['boto3', 'pytest'])
const timeout = 60_000

suite('docs/testing.md', () => {
  test('shows each example as it is', () => {
    const page = readFileSync(join(root, 'docs/testing.md'), 'utf8')
    const files = readdirSync(examples)
    assert.equal(files.length, 4)
    for (const file of files) {
      assert.ok(page.includes(`\n${readFileSync(join(examples, file), 'utf8')}\`\`\`\n`), `${file} is not in the page`)
    }
  })

  test('node:test', { timeout }, async (t) => {
    const printed = await run(t, process.execPath, ['--test', 'node.test.mjs'])
    assert.match(printed, /^\S+ pass 2$/m)
    assert.deepEqual(temporaryFolders(), [])
  })

  test('Vitest', { timeout, skip: unlessRequired(withoutVitest) }, async (t) => {
    const printed = await run(t, process.execPath, ['node_modules/vitest/vitest.mjs', 'run', 'vitest.test.mjs'])
    assert.match(printed, /Tests\D+2 passed/)
    assert.deepEqual(temporaryFolders(), [])
  })

  test('pytest', { timeout, skip: unlessRequired(withoutPytest) }, async (t) => {
    const printed = await run(t, python, ['-m', 'pytest', '-p', 'no:cacheprovider', 'test_flow.py'])
    assert.match(printed, /2 passed/)
  })
})
