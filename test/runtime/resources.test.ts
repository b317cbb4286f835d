import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { freemem, tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { freeDescriptors, freeDisk, freeMemory } from '../../src/runtime/resources.ts'
import { unlessRequired } from '../support/required.ts'

/** Folders as Linux has them, with these files in them. */
async function linux(t: TestContext, files: Record<string, string>) {
  const root = await mkdtemp(join(tmpdir(), 'carillon-resources-'))
  t.after(() => rm(root, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(root, name, '..'), { recursive: true })
    await writeFile(join(root, name), text)
  }
  return { self: join(root, 'self'), controlGroups: join(root, 'groups') }
}

const megabyte = 2 ** 20
const group = (max: string, current: number) => ({
  'self/cgroup': '1:name=systemd:/\n0::/carillon.slice\n',
  'groups/carillon.slice/memory.max': `${max}\n`,
  'groups/carillon.slice/memory.current': `${current}\n`,
  'groups/carillon.slice/memory.stat': `anon 1\ninactive_file ${5 * megabyte}\nactive_file ${2 * megabyte}\nslab_reclaimable ${megabyte}\n`,
})

suite('free memory', () => {
  test('is what the limit of the control group leaves, without the files in the page cache', async (t) => {
    assert.equal(await freeMemory(await linux(t, group(String(64 * megabyte), 60 * megabyte))), 12 * megabyte)
  })

  test('is that of the machine where the group has no limit, or more than the machine', async (t) => {
    const unlimited = [group('max', 0), group(String(2 ** 60), 0), {}]
    for (const files of unlimited) {
      const free = await freeMemory(await linux(t, files))
      assert.ok(free > 0 && Math.abs(free - freemem()) < 2 ** 30, `${free} bytes`)
    }
  })
})

const skip = unlessRequired(process.platform !== 'linux' && 'only Linux shows the descriptors of a process')

suite('free descriptors', () => {
  test('are what the soft limit leaves', { skip }, async () => {
    const source = `
      import { openSync } from 'node:fs'
      import { freeDescriptors } from ${JSON.stringify(new URL('../../src/runtime/resources.ts', import.meta.url))}
      const before = await freeDescriptors()
      for (let opened = 0; opened < 10; opened += 1) openSync('/dev/null')
      console.log(before < 200, before - (await freeDescriptors()))`
    const command = `ulimit -n 200; exec "$0" --input-type=module --eval "$1"`
    const child = spawn('sh', ['-c', command, process.execPath, source], { stdio: ['ignore', 'pipe', 'inherit'] })
    let printed = ''
    child.stdout.on('data', (text) => {
      printed += text
    })
    await once(child, 'close')
    assert.equal(printed, 'true 10\n')
  })

  test('are unknown where there is no limit, and where the system does not say', async (t) => {
    const unlimited = await linux(t, {
      'self/limits': 'Max open files            unlimited            unlimited            files\n',
    })
    assert.equal(await freeDescriptors(unlimited), undefined)
    assert.equal(await freeDescriptors(await linux(t, {})), undefined)
  })
})

test('free space is that of the folder’s file system', async () => {
  const free = await freeDisk(tmpdir())
  assert.ok(free === undefined || free > 0)
  await assert.rejects(freeDisk(join(tmpdir(), 'nowhere', 'at-all')), { code: 'ENOENT' })
})
