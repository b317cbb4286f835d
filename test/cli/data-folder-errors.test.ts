import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, suite, type TestContext, test } from 'node:test'
import { networkFileSystem, typeKeepsInodes } from '../../src/runtime/file-system.ts'
import { mountIsMissing, mountTmpfs } from '../support/mounts.ts'
import { unlessRequired } from '../support/required.ts'
import { runCarillon } from './carillon-process.ts'

let parent: string
let folder: string
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'carillon-errors-'))
  folder = join(parent, 'data')
})
afterEach(() => rmSync(parent, { recursive: true, force: true }))

/** The one line of a `carillon serve` that does not start. */
async function complaint(t: TestContext, dataDir = folder, runner: string[] = []): Promise<string> {
  const flags = ['--data-dir', dataDir, '--http-port', '0', '--https-port', '0', '--log-level', 'error']
  const { status, stdout, stderr } = await runCarillon(t, ['serve', ...flags], {}, runner)
  assert.deepEqual([status, stdout], [1, ''])
  assert.match(stderr, /^carillon: [^\n]*\n$/)
  return stderr
}

/**
 * Root may write everywhere. This user may read everything, since the project may lie in a folder that is for root
 * alone.
 */
const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups']
const reading = ['--inh-caps=-all,+dac_read_search', '--ambient-caps=-all,+dac_read_search']
const asUser = process.getuid?.() === 0 ? ['setpriv', ...nobody, ...reading] : []

const procIsMissing = process.platform !== 'linux' && 'this system has no /proc'

suite('carillon serve says in one line what is wrong with its data folder', () => {
  test('where no folder can be made', { skip: unlessRequired(procIsMissing) }, async (t) => {
    for (const path of ['/proc/x', '/proc/x/y/z']) {
      assert.match(
        await complaint(t, path),
        /the data folder \/proc\/x\S* cannot be created or written: ENOENT: .*mkdir '\/proc\/x'/,
      )
    }
  })

  test('where no file can be created', { skip: unlessRequired(procIsMissing) }, async (t) => {
    const words = /^carillon: no file can be created in the data folder \/proc\/\d+\/fd: choose another --data-dir\n$/
    assert.match(await complaint(t, '/proc/self/fd'), words)
  })

  test('where it is a file, or below a file', async (t) => {
    writeFileSync(folder, '')
    assert.match(await complaint(t), /data cannot be created or written: EEXIST: file already exists/)
    assert.match(
      await complaint(t, join(folder, 'deeper')),
      /deeper cannot be created or written: ENOTDIR: not a directory/,
    )
  })

  test('where it is a dangling link, or a link to itself', async (t) => {
    symlinkSync(join(parent, 'nowhere'), folder)
    assert.match(await complaint(t), /data cannot be created or written: .*data is a dangling symbolic link/)
    rmSync(folder)
    symlinkSync(folder, folder)
    for (const path of [folder, join(folder, 'deeper')]) {
      assert.match(await complaint(t, path), /data\S* cannot be created or written: ELOOP: too many symbolic links/)
    }
  })

  test('where this user may not write', async (t) => {
    mkdirSync(folder)
    chmodSync(folder, 0o500)
    assert.match(await complaint(t, folder, asUser), /data cannot be created or written: EACCES: permission denied/)
  })

  test('where the file system is read-only', { skip: mountIsMissing() }, async (t) => {
    const mount = await mountTmpfs(t, '1m')
    execFileSync('mount', ['-o', 'remount,ro', mount])
    assert.match(await complaint(t, mount), /cannot be created or written: EROFS: read-only file system/)
    assert.match(await complaint(t, join(mount, 'data')), /cannot be created or written: EROFS: read-only file system/)
  })
})

suite('carillon serve names the file that it cannot use, and says what to do', () => {
  const restore =
    'Restore a backup into a new folder (docs/operations.md, "Restore"), or start anew with another --data-dir'

  beforeEach(() => mkdirSync(folder))

  test('where the database is none, and leaves it as it is', async (t) => {
    const file = join(folder, 'carillon.sqlite')
    const text = 'a text that is no database'.repeat(100)
    writeFileSync(file, text)
    const words = `carillon: ${file} cannot be used: it is not a SQLite database (SQLite code 26). ${restore}\n`
    assert.equal(await complaint(t), words)
    assert.equal(readFileSync(file, 'utf8'), text)
  })

  test('where the database is a folder', async (t) => {
    mkdirSync(join(folder, 'carillon.sqlite'))
    assert.match(await complaint(t), /EISDIR: .*carillon\.sqlite/)
  })

  test('where another program has locked the database', async (t) => {
    const file = join(folder, 'carillon.sqlite')
    using other = new DatabaseSync(file)
    other.exec('PRAGMA locking_mode = EXCLUSIVE; CREATE TABLE other (id)')
    const words = 'cannot be used: another process is writing (SQLite code 5). Close the other program that has it open'
    assert.equal(await complaint(t), `carillon: ${file} ${words}\n`)
  })

  test('where the disk is full', { skip: mountIsMissing() }, async (t) => {
    const mount = await mountTmpfs(t, '96k')
    assert.match(
      await complaint(t, mount),
      /carillon\.sqlite cannot be used: the disk is full \(SQLite code 13\)\. Check the disk/,
    )
  })

  test('where the lock is another file', async (t) => {
    const file = join(folder, 'lock')
    writeFileSync(file, 'not a lock of ours'.repeat(100))
    assert.equal(await complaint(t), `carillon: ${file} is not the lock of a Carillon: choose another --data-dir\n`)
  })
})

test('network file systems are known by their types, and local ones are none', () => {
  const names = [0x6969, 0xff534d42, 0xff534d42 | 0, 0xfe534d42, 0xef53, 0x01021994].map(networkFileSystem)
  assert.deepEqual(names, ['NFS', 'SMB', 'SMB', 'SMB', undefined, undefined])
})

test('file systems whose clients number files by themselves are known', () => {
  const [local, nfs, smb, ninep, fuse] = [0xef53, 0x6969, 0xff534d42 | 0, 0x01021997, 0x65735546]
  assert.deepEqual([local, nfs, smb, ninep, fuse].map(typeKeepsInodes), [true, true, false, false, false])
})
