import assert from 'node:assert/strict'
import { rename, rm, symlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { readFolder, watchedDepthMax, watchedEntriesMax } from '../../src/processor/folder-reading.ts'
import { temporaryFolder, writeFiles } from './functions.ts'

async function start(t: TestContext) {
  const folder = await temporaryFolder(t, { 'a.mjs': 'one', 'lib/b.mjs': 'one', 'lib/deep/c.txt': 'one' })
  const before = await readFolder(folder)
  assert.ok(before.complete)
  /** What is told apart from the beginning. */
  const changed = async () => (await readFolder(folder)).signature !== before.signature
  return { folder, changed, write: (path: string, text: string) => writeFiles(folder, { [path]: text }) }
}

describe('the signature of a folder changes when', () => {
  test('a file is written, at any depth, with a text of any length', async (t) => {
    const { changed, write } = await start(t)
    assert.equal(await changed(), false)
    await write('lib/deep/c.txt', 'two')
    assert.equal(await changed(), true)
  })

  test('a file is added', async (t) => {
    const { changed, write } = await start(t)
    await write('lib/new.mjs', '')
    assert.equal(await changed(), true)
  })

  test('a file is removed', async (t) => {
    const { changed, folder } = await start(t)
    await rm(join(folder, 'lib/b.mjs'))
    assert.equal(await changed(), true)
  })

  test('a file gets another name', async (t) => {
    const { changed, folder } = await start(t)
    await rename(join(folder, 'a.mjs'), join(folder, 'b.mjs'))
    assert.equal(await changed(), true)
  })

  test('an older file of the same size takes the place of one', async (t) => {
    const folder = await temporaryFolder(t, { 'a.mjs': 'one', 'b.mjs': 'two' })
    for (const file of ['a.mjs', 'b.mjs']) await utimes(join(folder, file), 1, 1)
    const before = await readFolder(folder)
    await writeFiles(folder, { '.swap': 'new' })
    await utimes(join(folder, '.swap'), 1, 1)
    await rename(join(folder, '.swap'), join(folder, 'a.mjs'))
    assert.notEqual((await readFolder(folder)).signature, before.signature)
  })

  test('a file behind a link is written', async (t) => {
    const outside = await temporaryFolder(t, { 'shared.mjs': 'one' })
    const { folder } = await start(t)
    await symlink(outside, join(folder, 'shared'))
    const before = await readFolder(folder)
    await writeFiles(outside, { 'shared.mjs': 'two' })
    assert.notEqual((await readFolder(folder)).signature, before.signature)
  })
})

describe('the signature of a folder stays when', () => {
  test('installed packages and hidden files change', async (t) => {
    const { changed, write } = await start(t)
    await write('node_modules/a/index.js', 'new')
    await write('lib/node_modules/a/index.js', 'new')
    await write('.git/index', 'new')
    await write('.editor.swp', 'new')
    assert.equal(await changed(), false)
  })
})

describe('a folder is watched in part when', () => {
  test('it is too deep', async (t) => {
    const { changed, folder, write } = await start(t)
    const path = (depth: number) => `${'d/'.repeat(depth - 1)}file`
    await write(path(watchedDepthMax), '')
    assert.equal((await readFolder(folder)).complete, true)
    await write(path(watchedDepthMax + 1), '')
    assert.equal((await readFolder(folder)).complete, false)
    assert.equal(await changed(), true)
  })

  test('a link in it leads back to it', async (t) => {
    const { folder } = await start(t)
    await symlink(folder, join(folder, 'again'))
    assert.equal((await readFolder(folder)).complete, false)
  })

  test('it has too many entries: those of its upper levels are', async (t) => {
    const folder = await temporaryFolder(t)
    const names = Array.from({ length: watchedEntriesMax - 1 }, (_, index) => `lib/${index}`)
    await writeFiles(folder, Object.fromEntries(names.map((name) => [name, ''])))
    const before = await readFolder(folder)
    assert.equal(before.complete, true)
    await writeFiles(folder, { 'z.mjs': '' })
    const after = await readFolder(folder)
    assert.equal(after.complete, false)
    assert.notEqual(after.signature, before.signature)
  })
})

test('a folder that is not there is told', async (t) => {
  const folder = await temporaryFolder(t)
  await assert.rejects(readFolder(join(folder, 'gone')), { code: 'ENOENT' })
})
