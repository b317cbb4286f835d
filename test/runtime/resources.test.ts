import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { freeDisk, freeMemory, freeOf } from '../../src/runtime/resources.ts'
import { unlessRequired } from '../support/required.ts'

/** Folders as Linux has them, with these files in them. A file without a text cannot be read. */
async function linux(t: TestContext, files: Record<string, string | undefined>) {
  const root = await mkdtemp(join(tmpdir(), 'carillon-resources-'))
  t.after(() => rm(root, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, name)
    await mkdir(join(path, '..'), { recursive: true })
    // To read a folder fails for root as well.
    await (text === undefined ? mkdir(path) : writeFile(path, text))
  }
  return { processes: join(root, 'processes'), controlGroups: join(root, 'groups') }
}

const megabyte = 2 ** 20
const machine = (available: number) => ({
  'processes/meminfo': `MemTotal:  ${2 ** 24} kB\nMemFree:   1 kB\nMemAvailable:   ${available / 1_024} kB\n`,
})
const group = (max: string, current: number) => ({
  'processes/self/cgroup': '1:name=systemd:/\n0::/carillon.slice\n',
  'groups/carillon.slice/memory.max': `${max}\n`,
  'groups/carillon.slice/memory.current': `${current}\n`,
  'groups/carillon.slice/memory.stat': `anon 1\ninactive_file ${5 * megabyte}\nactive_file ${2 * megabyte}\nslab_reclaimable ${megabyte}\n`,
})

suite('free memory', () => {
  const small = group(String(64 * megabyte), 60 * megabyte)
  const cases: { [sentence: string]: { files: Record<string, string | undefined>; free: number | undefined } } = {
    'is what the limit of the control group leaves, without the files in the page cache': {
      files: { ...machine(99 * megabyte), ...small },
      free: 12 * megabyte,
    },
    'is that of the group where the system does not say how much is available': { files: small, free: 12 * megabyte },
    'is that of the machine where it has less than the group': {
      files: { ...machine(3 * megabyte), ...small },
      free: 3 * megabyte,
    },
    'is that of the machine where the group has no limit': {
      files: { ...machine(99 * megabyte), ...group('max', 0) },
      free: 99 * megabyte,
    },
    'is unknown where the system does not show it, as on a Mac': { files: {}, free: undefined },
  }
  for (const name of ['memory.max', 'memory.current', 'memory.stat']) {
    cases[`is that of the machine where ${name} cannot be read`] = {
      files: { ...machine(99 * megabyte), ...small, [`groups/carillon.slice/${name}`]: undefined },
      free: 99 * megabyte,
    }
  }
  for (const [sentence, { files, free }] of Object.entries(cases)) {
    test(sentence, async (t) => assert.equal(await freeMemory(await linux(t, files)), free))
  }

  const skip = unlessRequired(process.platform !== 'linux' && 'only Linux shows how much memory is available')
  test('is known of this machine', { skip }, async () => {
    const free = (await freeMemory()) ?? 0
    assert.ok(free > megabyte && free < 2 ** 50, `${free} bytes`)
  })
})

test('free space is that of the folder’s file system', async () => {
  const free = await freeDisk(tmpdir())
  assert.ok(free === undefined || free > 0)
  await assert.rejects(freeDisk(join(tmpdir(), 'nowhere', 'at-all')), { code: 'ENOENT' })
})

test('free space is that of the user: only root may use the reserve of the file system', () => {
  const disk = { blocks: 100, bfree: 5, bavail: 0, bsize: 4_096 }
  assert.deepEqual([freeOf(disk, 0), freeOf(disk, 1_000), freeOf(disk)], [20_480, 0, 0])
  assert.equal(freeOf({ ...disk, blocks: 0 }, 0), undefined)
})
