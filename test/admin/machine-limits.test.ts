import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { lowLimits } from '../../src/admin/machine-limits.ts'

interface Limits {
  files?: number
  watches?: number
  memory?: number | undefined
  disk?: number
}

const gigabyte = 2 ** 30

/** The limits that are too low on a machine with these. */
async function lowOf({ files = 65_536, watches = 65_536, memory = gigabyte, disk = 9 * gigabyte }: Limits) {
  const inotify = await mkdtemp(join(tmpdir(), 'carillon-'))
  try {
    await writeFile(join(inotify, 'max_user_watches'), `${watches}\n`)
    const free = { memory: async () => memory, disk: async () => disk }
    return await lowLimits({ descriptors: { limit: () => files }, folder: '/data', inotify, free })
  } finally {
    await rm(inotify, { recursive: true })
  }
}

suite('the limits of the machine', () => {
  test('that are high enough, unlimited or unknown, are no problem', async () => {
    assert.deepEqual(await lowOf({}), [])
    assert.deepEqual(await lowOf({ files: Number.POSITIVE_INFINITY, memory: undefined }), [])
  })

  test('that are too low, each with its number and what to do', async () => {
    const low = await lowOf({ files: 1_024, watches: 100, memory: 200 * 2 ** 20, disk: 2 ** 20 })
    assert.deepEqual(
      low.map(({ name, problem, remedy }) => `${name}: ${problem}. ${remedy}`),
      [
        'open files: 1024, and 4096 are recommended. raise the limit: LimitNOFILE=65536 in systemd',
        'inotify watches: 100, and 8192 are recommended. sysctl -w fs.inotify.max_user_watches=65536',
        'memory: 200 MB free, and 256 MB free are recommended. end other programs, or give the machine more memory',
        'disk space: 1 MB free, and 1024 MB free are recommended. free space on the disk of /data',
      ],
    )
  })
})
