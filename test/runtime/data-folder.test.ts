import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, suite, test } from 'node:test'
import { type DataFolder, openDataFolder } from '../../src/runtime/data-folder.ts'

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)

let parent: string
let path: string
let folder: DataFolder | undefined
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'carillon-data-folder-'))
  path = join(parent, 'deep', 'data')
})
afterEach(() => {
  folder?.close()
  folder = undefined
  rmSync(parent, { recursive: true })
})

suite('openDataFolder', () => {
  test('makes a folder that is this user’s alone', () => {
    folder = openDataFolder(path)
    assert.equal(folder.path, path)
    assert.equal(mode(path), '700')
  })

  test('refuses a path that cannot be a folder, in one line that names it', () => {
    const file = join(parent, 'file')
    writeFileSync(file, '')
    for (const bad of [file, join(file, 'data')]) {
      assert.throws(() => openDataFolder(bad), {
        message: /^the data folder .*\/file.* cannot be created or written: E\w+: .*$/,
      })
    }
  })
})

suite('the lock', () => {
  const taken = (pid: string) => ({ message: `the data folder ${path} is in use by another Carillon${pid}` })

  /** A process that takes the folder, writes down who it is, and stays. */
  function otherProcess(): ChildProcess {
    const module = new URL('../../src/runtime/data-folder.ts', import.meta.url)
    const script = `
      import { openDataFolder } from ${JSON.stringify(module.href)}
      const folder = openDataFolder(${JSON.stringify(path)})
      folder.writeSecret('endpoint.json', JSON.stringify({ pid: process.pid }))
      console.log('open')
      setInterval(() => folder, 1000)`
    return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'pipe'] })
  }

  test('keeps a second one in this process out, until the first closes', () => {
    folder = openDataFolder(path)
    assert.throws(() => openDataFolder(path), taken(''))
    folder.close()
    folder = openDataFolder(path)
  })

  // POSIX drops all locks of a file when any descriptor of it is closed in the process.
  test('keeps another process out even after a refusal in this one', async () => {
    folder = openDataFolder(path)
    assert.throws(() => openDataFolder(path), taken(''))
    const child = otherProcess()
    const complaint = text(child.stderr!)
    const [code] = await once(child, 'exit')
    assert.equal(code, 1)
    assert.match(await complaint, /is in use by another Carillon/)
  })

  test('of another process keeps this one out, is told by its id, and dies with it', async () => {
    const child = otherProcess()
    await once(child.stdout!, 'data')
    try {
      assert.throws(() => openDataFolder(path), taken(` (process ${child.pid})`))
    } finally {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    folder = openDataFolder(path)
  })
})

suite('a file of the data folder', () => {
  beforeEach(() => {
    folder = openDataFolder(path)
  })

  test('is for this user alone, as is a folder made for it', () => {
    folder!.writeSecret('aws/credentials', 'text')
    assert.equal(mode(join(path, 'aws')), '700')
    assert.equal(mode(join(path, 'aws/credentials')), '600')
    assert.equal(folder!.read('aws/credentials'), 'text')
  })

  test('takes the place of the one before, and leaves nothing beside it', () => {
    folder!.writeSecret('key', 'a longer text')
    writeFileSync(join(path, 'key.new'), 'left by a crash', { mode: 0o644 })
    folder!.writeSecret('key', 'short')
    assert.equal(readFileSync(join(path, 'key'), 'utf8'), 'short')
    assert.equal(mode(join(path, 'key')), '600')
    assert.deepEqual(readdirSync(path).sort(), ['key', 'lock'])
  })

  test('is removed, or was not there', () => {
    folder!.writeSecret('key', 'text')
    folder!.remove('key')
    folder!.remove('key')
    assert.equal(folder!.read('key'), undefined)
  })
})
