import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, symlink, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { FunctionFolder, MissingFunction } from '../../src/processor/function-folder.ts'
import { FunctionsMark } from '../../src/processor/functions-mark.ts'
import { openDataFolder } from '../../src/runtime/data-folder.ts'
import { Shortage } from '../../src/runtime/shortage.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { populate } from '../support/population.ts'
import { startTestServer } from '../support/running-server.ts'
import { RecordingLog, temporaryFolder, writeFiles } from './functions.ts'

const code = 'export const handler = () => {}'

/** A place for the functions folder and the data folder. `run` is what a server does with them until it stops. */
async function openPlace(t: TestContext) {
  const place = await temporaryFolder(t)
  const functions = join(place, 'functions')
  const run = async (
    meanwhile: (folder: FunctionFolder, clock: ManualClock) => unknown = () => {},
    path = functions,
  ) => {
    const data = openDataFolder(join(place, 'data'))
    const log = new RecordingLog()
    const clock = new ManualClock()
    const folder = new FunctionFolder({
      folder: path,
      clock,
      log,
      mark: new FunctionsMark(data, log),
      changed: () => {},
    })
    try {
      await folder.opened
      await meanwhile(folder, clock)
    } finally {
      await folder.close()
      data.close()
    }
    return log.texts('warn')
  }
  return { place, functions, mark: join(place, 'data/functions-folder'), run }
}

const isMissing = (folder: FunctionFolder) => assert.throws(() => folder.find('one'), MissingFunction)

const isUnknown = (folder: FunctionFolder) =>
  assert.throws(
    () => folder.find('one'),
    (error) => error instanceof Shortage && error.kind === 'functions folder',
  )

describe('after a restart, functions are not missing when the functions folder', () => {
  const losses: Record<string, (functions: string) => Promise<unknown>> = {
    'is gone': async () => {},
    'is empty, as the mount point of a disk that is not mounted': (functions) => mkdir(functions),
    'is a link that leads nowhere': (functions) => symlink('/no/such', functions),
  }
  for (const [what, lose] of Object.entries(losses)) {
    test(`${what}, until they are back`, async (t) => {
      const { place, functions, mark, run } = await openPlace(t)
      await writeFiles(functions, { 'one.mjs': code })
      assert.deepEqual(await run((folder) => folder.find('one')), [])
      assert.equal(await readFile(mark, 'utf8'), `${functions}\n`)
      await rename(functions, join(place, 'away'))
      await lose(functions)
      const warnings = await run(isUnknown)
      if (!what.includes('link')) {
        const advice = `to do without them, remove ${mark} and restart`
        assert.deepEqual(warnings, [`all functions are gone: messages wait until they are back; ${advice}`])
      }
      await run(async (folder, clock) => {
        isUnknown(folder)
        await rm(functions, { recursive: true, force: true })
        await rename(join(place, 'away'), functions)
        for (; folder.codeOf('one') === undefined; await nextTurn()) clock.advance(1)
      })
    })
  }
})

describe('functions are missing at once when', () => {
  test('there never were any', async (t) => {
    const { functions, mark, run } = await openPlace(t)
    assert.deepEqual(await run(isMissing), [])
    await mkdir(functions)
    assert.deepEqual(await run(isMissing), [])
    assert.equal(existsSync(mark), false)
  })

  test('the operator has removed the mark', async (t) => {
    const { functions, mark, run } = await openPlace(t)
    await writeFiles(functions, { 'one.mjs': code })
    await run()
    await rm(functions, { recursive: true })
    await unlink(mark)
    assert.deepEqual(await run(isMissing), [])
  })

  test('they were removed while the server ran', async (t) => {
    const { functions, mark, run } = await openPlace(t)
    await writeFiles(functions, { 'one.mjs': code })
    await run(async (folder, clock) => {
      await unlink(join(functions, 'one.mjs'))
      for (; existsSync(mark); await nextTurn()) clock.advance(1)
      assert.equal(folder.codeOf('one'), undefined)
    })
    assert.deepEqual(await run(isMissing), [])
  })
})

test('a path where there is nothing is taken for a wrong one while functions were elsewhere', async (t) => {
  const { place, functions, mark, run } = await openPlace(t)
  await writeFiles(functions, { 'one.mjs': code })
  await run()
  await run(isUnknown, join(place, 'others'))
  await mkdir(join(place, 'others'))
  await run(isUnknown, join(place, 'others'))
  assert.ok(existsSync(mark))
})

test('a link that leads nowhere is not a folder that never was there', async (t) => {
  const { functions, run } = await openPlace(t)
  await symlink('/no/such', functions)
  await run(isUnknown)
})

test('functions work when the data folder takes no mark, and one warning says so', async (t) => {
  const { functions, mark, run } = await openPlace(t)
  await writeFiles(functions, { 'one.mjs': code })
  // The new text is written there first.
  await mkdir(`${mark}.new/full`, { recursive: true })
  const warnings = await run(async (folder, clock) => {
    folder.find('one')
    clock.advance(60_000)
    await folder.refresh()
  })
  assert.deepEqual(warnings, ['could not note whether there are functions'])
})

const log = new RecordingLog()
const server = await startTestServer({ log })

test('a message that is held waits over a restart without the functions folder', async () => {
  const people = await populate(server)
  await people.attachFlow(['first'])
  // Else its attempt might end before the server stops, and only its verdict would be waited for.
  const release = server.processors.hold()
  const { ChannelMessage } = await people.sendHeld()
  const away = `${server.functions}-away`
  await rename(server.functions, away)
  await server.restart()
  release()
  await log.waitFor('shortage of functions folder')
  await rename(away, server.functions)
  const again = await server.processors.next(ChannelMessage.MessageId)
  assert.equal(again.ChannelMessage.Content, ChannelMessage.Content)
})
