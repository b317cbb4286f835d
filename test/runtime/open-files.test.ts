import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, suite, test } from 'node:test'
import { silentLog } from '../../src/runtime/log.ts'
import { checkEveryMs, OpenFiles, watchFiles } from '../../src/runtime/open-files.ts'
import { ManualClock } from '../support/manual-clock.ts'

let parent: string
let folder: string
let file: string
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'carillon-open-files-'))
  folder = join(parent, 'data')
  file = join(folder, 'file')
  await mkdir(folder)
  await writeFile(file, 'old')
})
afterEach(() => rm(parent, { recursive: true }))

suite('open files', () => {
  const changes: { [sentence: string]: { change(): Promise<unknown>; problem: () => string } } = {
    'a removed file': { change: () => rm(file), problem: () => `${file} was removed or moved` },
    'a removed folder': {
      change: () => rm(folder, { recursive: true }),
      problem: () => `${folder} was removed or moved`,
    },
    'a moved folder': {
      change: () => rename(folder, `${folder}.old`),
      problem: () => `${folder} was removed or moved`,
    },
    'a file that another took the place of': {
      async change() {
        await writeFile(`${file}.new`, 'old')
        await rename(`${file}.new`, file)
      },
      problem: () => `${file} was replaced`,
    },
    'a folder that a file took the place of': {
      async change() {
        await rename(folder, `${folder}.old`)
        await writeFile(folder, '')
      },
      problem: () => `${folder} was replaced`,
    },
    'a folder that a loop of links took the place of': {
      async change() {
        await rename(folder, `${folder}.old`)
        await symlink(folder, folder)
      },
      problem: () => `${folder} was removed or moved`,
    },
  }
  for (const [sentence, { change, problem }] of Object.entries(changes)) {
    test(`are told from ${sentence}`, async () => {
      const files = new OpenFiles([folder, file])
      assert.equal(await files.problem(), undefined)
      await change()
      assert.equal(await files.problem(), problem())
    })
  }

  test('are known by their paths alone where the file system may number them anew', async () => {
    const files = new OpenFiles([folder, file], { keepsInodes: false })
    await writeFile(`${file}.new`, 'the same file, as another inode')
    await rename(`${file}.new`, file)
    assert.equal(await files.problem(), undefined)
    await rm(file)
    assert.equal(await files.problem(), `${file} was removed or moved`)
  })

  test('are the same after they were written to, and after a link to the folder was made', async () => {
    const files = new OpenFiles([folder, file])
    await writeFile(file, 'new')
    await writeFile(join(folder, 'other'), '')
    await symlink(folder, join(parent, 'link'))
    assert.equal(await files.problem(), undefined)
  })
})

suite('the watch', () => {
  function start(check: () => Promise<string | undefined>) {
    const clock = new ManualClock()
    const found: string[] = []
    const warnings: string[] = []
    const log = { ...silentLog, warn: (_fields: object, text: string) => void warnings.push(text) }
    const stop = watchFiles({ clock, log, check, found: (problem) => void found.push(problem) })
    const pass = async () => {
      clock.advance(checkEveryMs)
      await new Promise(setImmediate)
    }
    return { clock, found, warnings, stop, pass }
  }

  test('checks each second until something is wrong, and says that once', async () => {
    let problem: string | undefined
    let checks = 0
    const { clock, found, pass } = start(async () => {
      checks += 1
      return problem
    })
    await pass()
    await pass()
    assert.deepEqual([checks, found], [2, []])
    problem = 'gone'
    await pass()
    assert.deepEqual([checks, found, clock.nextAlarmMs], [3, ['gone'], undefined])
  })

  test('does not check again while a check hangs', async () => {
    const hanging = Promise.withResolvers<undefined>()
    let checks = 0
    const { pass } = start(() => {
      checks += 1
      return hanging.promise
    })
    for (let seconds = 0; seconds < 3; seconds += 1) await pass()
    assert.equal(checks, 1)
    hanging.resolve(undefined)
    await pass()
    await pass()
    assert.equal(checks, 2)
  })

  test('takes an error for no answer, warns once, and goes on', async () => {
    let isFailing = true
    const { found, warnings, pass } = start(async () => {
      if (isFailing) throw new Error('EIO')
      return 'gone'
    })
    await pass()
    await pass()
    assert.deepEqual([found, warnings], [[], ['it is unknown whether the data files are still in place']])
    isFailing = false
    await pass()
    assert.deepEqual(found, ['gone'])
  })

  test('says nothing more once it is stopped', async () => {
    const answer = Promise.withResolvers<string>()
    const { clock, found, pass, stop } = start(() => answer.promise)
    await pass()
    stop()
    answer.resolve('gone')
    await new Promise(setImmediate)
    assert.deepEqual([found, clock.nextAlarmMs], [[], undefined])
  })
})
