import assert from 'node:assert/strict'
import { once } from 'node:events'
import callbackFs from 'node:fs'
import fs, { mkdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { BrokenFunction } from '../../src/processor/function-files.ts'
import { FunctionFolder, goneMsMax, MissingFunction } from '../../src/processor/function-folder.ts'
import { lookEveryMs } from '../../src/processor/reading-schedule.ts'
import { Shortage } from '../../src/runtime/shortage.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { type Files, RecordingLog, temporaryFolder, writeFiles } from './functions.ts'

const code = 'export const handler = () => {}'

/** A folder that was read once, on a clock that stands still: what is noticed without moving it, a watch has noticed. */
async function open(t: TestContext, path: string, clock = new ManualClock()) {
  const log = new RecordingLog()
  let changes = 0
  const folder = new FunctionFolder({ folder: path, clock, log, changed: () => (changes += 1) })
  t.after(() => folder.close())
  await folder.opened
  /** Lets time pass until this is so, by no more than the milliseconds given. */
  const within = async (limitMs: number, isSo: () => boolean) => {
    const endMs = clock.now() + limitMs
    while (!isSo()) {
      await nextTurn()
      // What waits for the clock is served, and what waits for the disk has as many turns as it needs.
      const next = clock.nextAlarmMs
      if (next !== undefined && next <= endMs) clock.advance(Math.max(0, next - clock.now()))
    }
  }
  return { folder, clock, log, within, changes: () => changes }
}

async function openFiles(t: TestContext, files: Files) {
  const path = await temporaryFolder(t, files)
  return { path, ...(await open(t, path)) }
}

const exists = (folder: FunctionFolder, name: string) => folder.codeOf(name) !== undefined

/** Counts how often the system is asked about files from now on. */
function countLooks(t: TestContext) {
  const names = ['stat', 'lstat', 'readdir', 'readFile', 'open', 'access'] as const
  const mocks = names.map((name) => t.mock.method(fs, name))
  syncBuiltinESMExports()
  t.after(() => {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  })
  const calls = () => mocks.flatMap((mock) => mock.mock.calls)
  return {
    all: () => calls().length,
    /** Readings of the folder as a whole. */
    of: (path: string) => mocks[2]!.mock.calls.filter(({ arguments: [asked] }) => asked === path).length,
  }
}

describe('without an event and within 100 ms the folder knows', () => {
  test('a file that is written, and the functions as they are', async (t) => {
    const { path, folder, within } = await openFiles(t, { 'one.mjs': code })
    const before = folder.find('one')
    await writeFile(join(path, 'one.mjs'), `${code} // changed`)
    await within(100, () => folder.signature !== before.signature)
    assert.equal(folder.find('one').file, join(path, 'one.mjs'))
    await writeFiles(path, { 'two/function.json': '{ "concurrency": 3 }', 'two/index.cjs': '' })
    await within(100, () => folder.codeOf('two')?.concurrency === 3)
    await unlink(join(path, 'one.mjs'))
    await within(100, () => !exists(folder, 'one'))
  })

  test('a file in a folder that was added, and that one behind a link to a folder', async (t) => {
    const outside = await temporaryFolder(t, { 'lib.mjs': '' })
    const { path, folder, within } = await openFiles(t, { 'one.mjs': code })
    for (const [step, change] of Object.entries({
      'a folder': () => mkdir(join(path, 'lib')),
      'a file in it': () => writeFile(join(path, 'lib/a.mjs'), ''),
      'a link': () => symlink(outside, join(path, 'linked')),
      'behind the link': () => writeFile(join(outside, 'lib.mjs'), 'changed'),
    })) {
      const before = folder.signature
      await change()
      await within(100, () => folder.signature !== before)
      assert.ok(exists(folder, 'one'), step)
    }
  })

  test('that the link it is leads elsewhere', async (t) => {
    const place = await temporaryFolder(t, { 'v1/one.mjs': code, 'v2/two.mjs': code })
    await symlink('v1', join(place, 'functions'))
    const { folder, within } = await open(t, join(place, 'functions'))
    assert.ok(exists(folder, 'one'))
    await symlink('v2', join(place, 'next'))
    await rename(join(place, 'next'), join(place, 'functions'))
    await within(100, () => exists(folder, 'two') && !exists(folder, 'one'))
    await writeFiles(place, { 'v2/three.mjs': code })
    await within(100, () => exists(folder, 'three'))
  })

  test('that it is there, when it was not', async (t) => {
    const place = await temporaryFolder(t)
    const { folder, within } = await open(t, join(place, 'functions'))
    assert.throws(() => folder.find('one'), MissingFunction)
    folder.check()
    await writeFiles(place, { 'functions/one.mjs': code })
    await within(100, () => exists(folder, 'one'))
  })
})

describe('a reading', () => {
  test('comes once for a burst of writes', async (t) => {
    const { path, folder, clock, within, changes } = await openFiles(t, { 'one.mjs': code })
    const before = changes()
    for (let file = 0; file < 50; file++) await writeFile(join(path, `${file}.mjs`), code)
    while (!clock.hasAlarmAt(clock.now() + 20)) await nextTurn()
    await within(100, () => exists(folder, '49'))
    assert.equal(changes(), before + 1)
  })

  test('is never two at once, however many ask', async (t) => {
    const { path, folder, clock } = await openFiles(t, { 'one.mjs': code })
    let underWay = 0
    let most = 0
    const stat = fs.stat
    t.mock.method(fs, 'stat', async (asked: string) => {
      if (asked !== path) return stat(asked)
      most = Math.max(most, ++underWay)
      await nextTurn()
      return stat(asked).finally(() => (underWay -= 1))
    })
    syncBuiltinESMExports()
    t.after(() => {
      t.mock.restoreAll()
      syncBuiltinESMExports()
    })
    const asked: (Promise<void> | undefined)[] = []
    for (let turn = 0; turn < 200; turn++) {
      asked.push(folder.lookAgain(), folder.refresh())
      if (turn % 10 === 0) await writeFile(join(path, 'one.mjs'), `${code} // ${turn}`)
      clock.advance(turn % 7 === 0 ? lookEveryMs + 1 : 30)
      await nextTurn()
    }
    const ended = Promise.all(asked)
    for (let isOver = false; !isOver; clock.advance(50)) {
      isOver = await Promise.race([ended.then(() => true), nextTurn(false)])
    }
    assert.equal(most, 1)
  })
})

describe('while events come', () => {
  test('400 files cost no look at a file for an event', async (t) => {
    const files = Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`f${index}/index.mjs`, code]))
    const { folder } = await openFiles(t, files)
    const looks = countLooks(t)
    for (let event = 0; event < 1_000; event++) {
      assert.equal(folder.refresh(), undefined)
      assert.ok(folder.find(`f${event % 400}`))
    }
    assert.equal(looks.all(), 0)
  })

  test('the folder is read every two seconds, and not when none come', async (t) => {
    const { path, folder, clock, within } = await openFiles(t, { 'one.mjs': code })
    const looks = countLooks(t)
    for (let second = 1; second <= 5; second++) {
      for (let event = 0; event < 10; event++) {
        void folder.refresh()
        clock.advance(200)
      }
      await within(0, () => looks.of(path) === second)
    }
    for (let second = 0; second < 60; second++) {
      clock.advance(1_000)
      await nextTurn()
    }
    assert.ok(looks.of(path) <= 6, `${looks.of(path)} readings`)
    assert.equal(clock.nextAlarmMs, undefined)
  })

  test('what no watch sees is known within two seconds', async (t) => {
    const outside = await temporaryFolder(t, { 'one.mjs': code })
    const path = await temporaryFolder(t)
    await symlink(join(outside, 'one.mjs'), join(path, 'one.mjs'))
    const { folder, clock, within } = await open(t, path)
    const before = folder.signature
    void folder.refresh()
    await writeFile(join(outside, 'one.mjs'), `${code} // a file behind a link has no watch`)
    clock.advance(lookEveryMs)
    await within(0, () => folder.signature !== before)
  })

  test('the first event after a pause waits for a reading, and the next ones do not', async (t) => {
    const outside = await temporaryFolder(t, { 'one.mjs': code })
    const path = await temporaryFolder(t)
    await symlink(join(outside, 'one.mjs'), join(path, 'one.mjs'))
    const { folder, clock } = await open(t, path)
    const before = folder.signature
    await writeFile(join(outside, 'one.mjs'), `${code} // changed`)
    clock.advance(60_000)
    await folder.refresh()
    assert.notEqual(folder.signature, before)
    assert.equal(folder.refresh(), undefined)
  })

  test('for functions that are not there, the folder is read ten times a second at most', async (t) => {
    const { path, folder, clock } = await openFiles(t, { 'one.mjs': code })
    const looks = countLooks(t)
    for (let hundredth = 0; hundredth < 100; hundredth++) {
      for (let event = 0; event < 5; event++) void folder.lookAgain()
      clock.advance(10)
      for (let turn = 0; turn < 20; turn++) await nextTurn()
    }
    assert.ok(looks.of(path) >= 1 && looks.of(path) <= 11, `${looks.of(path)} readings`)
  })
})

describe('when the folder cannot be read, nothing is said of any function', () => {
  const isShortage = (error: unknown) => error instanceof Shortage && error.kind === 'functions folder'

  async function breakAndMend(t: TestContext, path: string, breakIt: () => unknown, mend: () => unknown) {
    const { folder, clock, within } = await open(t, path)
    assert.ok(folder.find('one'))
    await breakIt()
    // As an event does that comes after a while.
    clock.advance(2 * lookEveryMs + 1)
    await folder.refresh()
    for (const name of ['one', 'never']) {
      assert.throws(() => folder.find(name), isShortage)
      assert.equal(folder.isAbsent(name), false)
    }
    assert.throws(() => folder.check(), isShortage)
    await mend()
    await within(1_200, () => exists(folder, 'one'))
    folder.check()
    assert.throws(() => folder.find('never'), MissingFunction)
  }

  test('it was there and is gone', async (t) => {
    const place = await temporaryFolder(t, { 'functions/one.mjs': code })
    const move = (from: string, to: string) => rename(join(place, from), join(place, to))
    const path = join(place, 'functions')
    await breakAndMend(
      t,
      path,
      () => move('functions', 'away'),
      () => move('away', 'functions'),
    )
  })

  test('a file has taken its place', async (t) => {
    const place = await temporaryFolder(t, { 'functions/one.mjs': code })
    const path = join(place, 'functions')
    const breakIt = async () => {
      await rm(path, { recursive: true })
      await writeFile(path, '')
    }
    const mend = async () => {
      await unlink(path)
      await writeFiles(path, { 'one.mjs': code })
    }
    await breakAndMend(t, path, breakIt, mend)
  })

  test('it is a link that leads to itself', async (t) => {
    const place = await temporaryFolder(t, { 'v1/one.mjs': code })
    const path = join(place, 'functions')
    const leadTo = async (target: string) => {
      await rm(path, { force: true })
      await symlink(target, path)
    }
    await leadTo('v1')
    await breakAndMend(
      t,
      path,
      () => leadTo('functions'),
      () => leadTo('v1'),
    )
  })

  test('a disk was taken away and left an empty folder at its place', async (t) => {
    const place = await temporaryFolder(t, { 'functions/one.mjs': code })
    const path = join(place, 'functions')
    const breakIt = async () => {
      await rename(path, join(place, 'away'))
      await mkdir(path)
    }
    const mend = async () => {
      await rm(path, { recursive: true })
      await rename(join(place, 'away'), path)
    }
    await breakAndMend(t, path, breakIt, mend)
  })

  test('the server may not list it', async (t) => {
    const path = await temporaryFolder(t, { 'one.mjs': code })
    // Root may list everything, so the system's answer is given here.
    const denied = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' })
    const mend = () => {
      t.mock.restoreAll()
      syncBuiltinESMExports()
    }
    t.after(mend)
    const breakIt = () => {
      t.mock.method(fs, 'readdir', () => Promise.reject(denied))
      syncBuiltinESMExports()
    }
    await breakAndMend(t, path, breakIt, mend)
  })

  test('from the start, and it is known as soon as it can be read', async (t) => {
    const place = await temporaryFolder(t, { 'v1/one.mjs': code })
    const path = join(place, 'functions')
    await symlink('functions', path)
    const { folder, within } = await open(t, path)
    assert.throws(() => folder.find('one'), isShortage)
    await unlink(path)
    await symlink('v1', path)
    await within(1_200, () => exists(folder, 'one'))
  })

  test('for longer than a reading may take: it is a failure, and no second reading is started', async (t) => {
    const { path, folder, clock } = await openFiles(t, { 'one.mjs': code })
    const hanging = Promise.withResolvers<never>()
    const readdir = t.mock.method(fs, 'readdir', () => hanging.promise)
    syncBuiltinESMExports()
    t.after(() => {
      t.mock.restoreAll()
      syncBuiltinESMExports()
    })
    clock.advance(2 * lookEveryMs + 1)
    const refreshed = folder.refresh()
    while (readdir.mock.callCount() === 0) await nextTurn()
    clock.advance(5_000)
    await refreshed
    assert.throws(() => folder.find('one'), /was not read within 5 s/)
    for (let second = 0; second < 10; second++) {
      await folder.refresh()
      clock.advance(1_000)
    }
    assert.equal(readdir.mock.callCount(), 1)
    readdir.mock.restore()
    syncBuiltinESMExports()
    hanging.reject(Object.assign(new Error(`EIO: ${path}`), { code: 'EIO' }))
    while (!exists(folder, 'one')) {
      clock.advance(100)
      await nextTurn()
    }
  })
})

describe('one function says nothing of the others when', () => {
  test('its function.json is wrong', async (t) => {
    const { folder } = await openFiles(t, { 'one.mjs': code, 'two/function.json': '{ "concurrency": 0 }' })
    assert.ok(folder.find('one'))
    assert.throws(() => folder.find('two'), BrokenFunction)
  })

  test('its folder may not be listed', async (t) => {
    const { path, folder, clock, within } = await openFiles(t, { 'one.mjs': code, 'two/index.mjs': code })
    const { readdir } = fs
    const denied = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' })
    t.mock.method(fs, 'readdir', (asked: string) =>
      asked === join(path, 'two') ? Promise.reject(denied) : readdir(asked),
    )
    syncBuiltinESMExports()
    t.after(() => {
      t.mock.restoreAll()
      syncBuiltinESMExports()
    })
    clock.advance(2 * lookEveryMs + 1)
    await folder.refresh()
    await within(0, () => !exists(folder, 'two'))
    assert.ok(folder.find('one'))
    assert.throws(() => folder.find('two'), Shortage)
    assert.throws(() => folder.find('three'), MissingFunction)
    folder.check()
  })

  test('it went a moment ago: it may be about to be replaced, and is missing after two seconds', async (t) => {
    const { path, folder, clock, within } = await openFiles(t, { 'one.mjs': code, 'two.mjs': code })
    await unlink(join(path, 'two.mjs'))
    await within(100, () => !exists(folder, 'two'))
    assert.throws(() => folder.find('two'), Shortage)
    assert.equal(folder.isAbsent('two'), false)
    clock.advance(goneMsMax)
    assert.throws(() => folder.find('two'), MissingFunction)
    assert.ok(folder.find('one'))
  })
})

test('without watches, changes are seen every two seconds, and a warning says so once', async (t) => {
  const path = await temporaryFolder(t, { 'one.mjs': code })
  const full = Object.assign(new Error('ENOSPC: no space left on device, watch'), { code: 'ENOSPC' })
  t.mock.method(callbackFs, 'watch', () => {
    throw full
  })
  syncBuiltinESMExports()
  t.after(() => {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  })
  const { folder, clock, log, within } = await open(t, path)
  for (const name of ['two', 'three']) {
    void folder.refresh()
    await writeFiles(path, { [`${name}.mjs`]: code })
    clock.advance(lookEveryMs)
    await within(0, () => exists(folder, name))
  }
  const advice = 'raise fs.inotify.max_user_watches; changes are seen within 2 s instead of at once'
  assert.deepEqual(log.texts('warn'), [`the functions folder cannot be watched (ENOSPC): ${advice}`])
})

test('a system clock that is set back does not keep changes from being seen', async (t) => {
  const { path, folder, clock, within } = await openFiles(t, { 'one.mjs': code, 'two.mjs': code })
  await unlink(join(path, 'two.mjs'))
  await within(100, () => !exists(folder, 'two'))
  clock.stall(-3_600_000)
  assert.throws(() => folder.find('two'), MissingFunction)
  let isOver = false
  void folder.lookAgain().then(() => (isOver = true))
  await within(100, () => isOver)
  await writeFiles(path, { 'three.mjs': code })
  await within(100, () => exists(folder, 'three'))
})

test('a closed folder is watched and read no more', async (t) => {
  const { path, folder, clock } = await openFiles(t, { 'one.mjs': code })
  void folder.refresh()
  await folder.close()
  const looks = countLooks(t)
  const watcher = callbackFs.watch(path)
  t.after(() => watcher.close())
  const noticed = once(watcher, 'change')
  await writeFile(join(path, 'one.mjs'), 'changed')
  await noticed
  clock.advance(60_000)
  await nextTurn()
  assert.equal(looks.of(path), 0)
})
