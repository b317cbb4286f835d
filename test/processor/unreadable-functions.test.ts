import assert from 'node:assert/strict'
import { linkSync } from 'node:fs'
import { chmod, mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { namesMax, watchedEntriesMax } from '../../src/processor/folder-reading.ts'
import { BrokenFunction } from '../../src/processor/function-files.ts'
import { FunctionFolder, MissingFunction } from '../../src/processor/function-folder.ts'
import { silentLog as log } from '../../src/runtime/log.ts'
import { Shortage } from '../../src/runtime/shortage.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { type Files, temporaryFolder, writeFiles } from './functions.ts'

const code = 'export const handler = () => {}'
/** Any other than root: root may look at everything. */
const ordinaryUid = 65_534

/** What is known of each function after the first reading. */
async function read(t: TestContext, folder: string, names: string[]) {
  const known = new FunctionFolder({ folder, clock: new ManualClock(), log, changed: () => {} })
  t.after(() => known.close())
  await known.opened
  return Object.fromEntries(names.map((name) => [name, stateOf(known, name)]))
}

function stateOf(folder: FunctionFolder, name: string): string {
  try {
    return folder.find(name).file
  } catch (error) {
    assert.equal(folder.isAbsent(name), error instanceof MissingFunction)
    if (error instanceof MissingFunction) return 'missing'
    if (error instanceof BrokenFunction) return 'broken'
    assert.ok(error instanceof Shortage && error.kind === 'functions folder', String(error))
    return 'unknown'
  }
}

/** As `read`, while this user may not do everything with these paths. */
async function readWithout(t: TestContext, modes: Record<string, number>, folder: string, names: string[]) {
  const isRoot = process.geteuid?.() === 0
  for (const [path, mode] of Object.entries(modes)) await chmod(path, mode)
  if (isRoot) process.seteuid?.(ordinaryUid)
  try {
    return await read(t, folder, names)
  } finally {
    if (isRoot) process.seteuid?.(0)
    for (const path of Object.keys(modes)) await chmod(path, 0o755)
  }
}

describe('a function that the server may not look at is not taken for missing when', () => {
  /** Folders that any user may enter: `functions`, and `closed` beside it. */
  async function place(t: TestContext, files: Files) {
    const place = await temporaryFolder(t, files)
    await chmod(place, 0o755)
    const [functions, closed] = [join(place, 'functions'), join(place, 'closed')]
    for (const folder of [functions, closed]) await mkdir(folder, { recursive: true })
    return { functions, closed }
  }

  test('the functions folder can be listed and not entered', async (t) => {
    const { functions } = await place(t, { 'functions/single.mjs': code, 'functions/dir/index.mjs': code })
    const names = ['single', 'dir', 'never']
    assert.deepEqual(await readWithout(t, { [functions]: 0o644 }, functions, names), {
      single: 'unknown',
      dir: 'unknown',
      never: 'missing',
    })
  })

  for (const [rights, mode] of [
    ['listed and not entered', 0o644],
    ['entered and not listed', 0o311],
    ['neither listed nor entered', 0],
  ] as const) {
    test(`its own folder can be ${rights}`, async (t) => {
      const { functions } = await place(t, {
        'functions/single.mjs': code,
        'functions/dir/index.mjs': code,
        'functions/configured/function.json': '{ "handler": "app.handler" }',
      })
      const modes = { [join(functions, 'dir')]: mode, [join(functions, 'configured')]: mode }
      assert.deepEqual(await readWithout(t, modes, functions, ['single', 'dir', 'configured', 'never']), {
        single: join(functions, 'single.mjs'),
        dir: 'unknown',
        configured: 'unknown',
        never: 'missing',
      })
    })
  }

  test('it is a link into a folder that cannot be entered', async (t) => {
    const { functions, closed } = await place(t, {
      'closed/code.mjs': code,
      'closed/all/index.mjs': code,
      'functions/indexed/lib.mjs': '',
      'functions/configured/index.mjs': code,
      'functions/handled/function.json': '{ "handler": "app.handler" }',
      'functions/handled/app.js': code,
    })
    const links = ['single.mjs', 'indexed/index.mjs', 'configured/function.json', 'handled/app.mjs']
    for (const link of links) await symlink(join(closed, 'code.mjs'), join(functions, link))
    await symlink(join(closed, 'all'), join(functions, 'all'))
    const names = ['single', 'indexed', 'configured', 'handled', 'all']
    const states = await readWithout(t, { [closed]: 0o600 }, functions, names)
    assert.deepEqual(states, Object.fromEntries(names.map((name) => [name, 'unknown'])))
  })

  test('it is a link that leads nowhere, as when a disk is not mounted', async (t) => {
    const { functions } = await place(t, { 'functions/indexed/lib.mjs': '' })
    for (const link of ['single.mjs', 'indexed/index.mjs', 'all']) await symlink('/no/such', join(functions, link))
    await symlink('itself', join(functions, 'itself'))
    const names = ['single', 'indexed', 'all', 'itself']
    const states = await read(t, functions, names)
    assert.deepEqual(states, Object.fromEntries(names.map((name) => [name, 'unknown'])))
  })

  test('the file of another extension could take its place', async (t) => {
    const { functions } = await place(t, { 'functions/single.js': code })
    await symlink('/no/such', join(functions, 'single.mjs'))
    assert.deepEqual(await read(t, functions, ['single']), { single: 'unknown' })
    await writeFiles(functions, { 'other.mjs': code })
    await symlink('/no/such', join(functions, 'other.js'))
    assert.deepEqual(await read(t, functions, ['other']), { other: join(functions, 'other.mjs') })
  })
})

/** Many entries in little time: they are one file. */
function linkOften(file: string, times: number, pathOf: (index: number) => string): void {
  for (let index = 0; index < times; index++) linkSync(file, pathOf(index))
}

describe('a folder of more than can be read', () => {
  test('shows all its functions, and that others are missing', async (t) => {
    const folder = await temporaryFolder(t, { 'z.mjs': code, 'z-dir/index.mjs': code, 'z-json/function.json': '{}' })
    await writeFiles(folder, { 'z-json/index.cjs': code })
    linkOften(join(folder, 'z.mjs'), watchedEntriesMax, (index) => join(folder, `a-${index}.txt`))
    assert.deepEqual(await read(t, folder, ['z', 'z-dir', 'z-json', 'never']), {
      z: join(folder, 'z.mjs'),
      'z-dir': join(folder, 'z-dir/index.mjs'),
      'z-json': join(folder, 'z-json/index.cjs'),
      never: 'missing',
    })
  })

  test('of more functions than that: a name that was not found is not known to be missing', async (t) => {
    const folder = await temporaryFolder(t, { 'a.mjs': code })
    linkOften(join(folder, 'a.mjs'), namesMax, (index) => join(folder, `f${index}.mjs`))
    assert.deepEqual(await read(t, folder, ['a', 'never']), { a: join(folder, 'a.mjs'), never: 'unknown' })
  })
})
