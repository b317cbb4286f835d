import assert from 'node:assert/strict'
import callbackFs from 'node:fs'
import fs, { rename } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { folderThenLambda } from '../../src/processor/folder-then-lambda.ts'
import type { FunctionTarget } from '../../src/processor/function-target.ts'
import { lookEveryMs } from '../../src/processor/reading-schedule.ts'
import type { ProcessorTarget } from '../../src/processor/target.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { functionArn, processorEvent, startFunctions, writeFiles } from './functions.ts'
import { openEndpoint, startLambda, status } from './lambda-endpoint.ts'

async function invoke(target: ProcessorTarget, name: string) {
  let handedOver = 0
  const handOff = await target.invoke(name, functionArn(name), processorEvent('m-1'), () => {
    handedOver += 1
  })
  return { ...handOff, handedOver }
}

const completed = { result: 'completed', handedOver: 1 }

test('a function of the folder is the one that is called, even when it fails', async (t) => {
  const { endpoint, requests } = await openEndpoint(t, status(202))
  const functions = await startFunctions(t, {
    'redact.mjs': "export const handler = () => console.log('here')",
    'broken.mjs': 'export const handler = (',
  })
  const target = folderThenLambda(functions.target, startLambda(t, endpoint).target)
  assert.deepEqual(await invoke(target, 'redact'), completed)
  assert.deepEqual(functions.log.texts('info'), ['here'])
  assert.equal((await invoke(target, 'broken')).result, 'crashed')
  assert.deepEqual(requests, [])
})

test('a function that is not in the folder is called at the endpoint', async (t) => {
  const { endpoint, requests } = await openEndpoint(t, status(202))
  const functions = await startFunctions(t, {})
  const target = folderThenLambda(functions.target, startLambda(t, endpoint).target)
  assert.deepEqual(await invoke(target, 'redact'), { result: 'accepted', handedOver: 1 })
  assert.equal(requests.length, 1)
})

test('a function that is nowhere is unreached for good, and the reason says where it was looked for', async (t) => {
  const { endpoint } = await openEndpoint(t, status(404))
  const { folder, target: functions } = await startFunctions(t, {})
  const inFolder = `no function redact in ${folder} (looked for redact.mjs, redact.js, redact.cjs, redact.ts, redact/index.* and redact/function.json)`
  const atEndpoint = `${endpoint} for function redact: answered 404; CARILLON_LAMBDA_FUNCTION_NAME says what the endpoint calls a function`
  assert.deepEqual(await invoke(folderThenLambda(functions, startLambda(t, endpoint).target), 'redact'), {
    result: 'unreached',
    reason: `${inFolder}; ${atEndpoint}`,
    permanent: true,
    handedOver: 0,
  })
  assert.deepEqual(await invoke(folderThenLambda(functions, undefined), 'redact'), {
    result: 'unreached',
    reason: `${inFolder}; no Lambda endpoint to ask either: CARILLON_LAMBDA_ENDPOINT sets one`,
    permanent: true,
    handedOver: 0,
  })
})

test('while the folder cannot be read, nothing is passed on to the endpoint, and no function is missing', async (t) => {
  const { endpoint, requests } = await openEndpoint(t, status(202))
  const functions = await startFunctions(t, { 'local.mjs': 'export const handler = () => {}' })
  const target = folderThenLambda(functions.target, startLambda(t, endpoint).target)
  assert.deepEqual(await invoke(target, 'local'), completed)
  const away = `${functions.folder}-away`
  t.after(() => rename(away, functions.folder).catch(() => {}))
  await rename(functions.folder, away)
  for (const name of ['local', 'remote']) {
    while (isReady(functions.target)) await nextTurn()
    const handOff = await invoke(target, name)
    assert.ok(handOff.result === 'deferred' && handOff.cause === 'functions folder', JSON.stringify(handOff))
    assert.equal(handOff.handedOver, 0)
    assert.ok(target.freePlaces(name) > 0, 'so that it is tried again')
  }
  assert.deepEqual(requests, [])
  await rename(away, functions.folder)
  while (!isReady(functions.target)) await nextTurn()
  assert.deepEqual(await invoke(target, 'local'), completed)
  assert.equal((await invoke(target, 'remote')).result, 'accepted')
})

function isReady(functions: FunctionTarget): boolean {
  try {
    functions.folderReady()
    return true
  } catch {
    return false
  }
}

test('places are those of where the function is', async (t) => {
  const { endpoint } = await openEndpoint(t, status(202))
  const functions = await startFunctions(t, {
    'local/index.mjs': 'export const handler = () => {}',
    'local/function.json': '{ "concurrency": 3 }',
  })
  await functions.target.opened
  const target = folderThenLambda(functions.target, startLambda(t, endpoint, { concurrency: 7 }).target)
  assert.deepEqual([target.freePlaces('local'), target.freePlaces('remote')], [3, 7])
})

test('a function behind the endpoint costs no look at the folder for an event', async (t) => {
  const { endpoint } = await openEndpoint(t, status(202))
  const functions = await startFunctions(
    t,
    { 'local.mjs': 'export const handler = () => {}' },
    { clock: new ManualClock() },
  )
  await functions.target.opened
  const target = folderThenLambda(functions.target, startLambda(t, endpoint).target)
  const looks = (['stat', 'lstat', 'readdir', 'readFile'] as const).map((name) => t.mock.method(fs, name))
  const restore = () => {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  }
  t.after(restore)
  syncBuiltinESMExports()
  for (let event = 0; event < 20; event++) assert.equal((await invoke(target, 'remote')).result, 'accepted')
  assert.deepEqual(
    looks.map((look) => look.mock.callCount()),
    [0, 0, 0, 0],
  )
})

test('a function that is added to a folder without watches is found while its events go to the endpoint', async (t) => {
  t.mock.method(callbackFs, 'watch', () => {
    throw Object.assign(new Error('ENOSPC: no space left on device, watch'), { code: 'ENOSPC' })
  })
  syncBuiltinESMExports()
  t.after(() => {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  })
  const { endpoint } = await openEndpoint(t, status(202))
  const clock = new ManualClock()
  const functions = await startFunctions(t, {}, { clock })
  await functions.target.opened
  const target = folderThenLambda(functions.target, startLambda(t, endpoint).target)
  assert.equal((await invoke(target, 'redact')).result, 'accepted')
  await writeFiles(functions.folder, { 'redact.mjs': 'export const handler = () => {}' })
  const read = functions.log.waitForNext('functions folder read')
  clock.advance(lookEveryMs)
  await read
  assert.deepEqual(await invoke(target, 'redact'), completed)
})

test('a function that was added just now is not missing because the endpoint has none', async (t) => {
  const { endpoint, requests } = await openEndpoint(t, status(404))
  const clock = new ManualClock()
  const functions = await startFunctions(t, {}, { clock })
  await functions.target.opened
  const target = folderThenLambda(functions.target, startLambda(t, endpoint).target)
  // The clock stands still, so a change that a watch notices is not read yet.
  await writeFiles(functions.folder, { 'redact.mjs': 'export const handler = () => {}' })
  let handOff: { result: string } | undefined
  void invoke(target, 'redact').then((ended) => (handOff = ended))
  // Less than a reading may take.
  const until = clock.now() + 1_000
  for (; handOff === undefined; await nextTurn()) {
    if (requests.length > 0 && clock.now() < until) clock.advance(10)
  }
  assert.deepEqual(handOff, completed)
})

test('an endpoint that is away is tried again', async (t) => {
  const { endpoint } = await openEndpoint(t, status(503))
  const functions = await startFunctions(t, {})
  const handOff = await invoke(folderThenLambda(functions.target, startLambda(t, endpoint).target), 'redact')
  assert.ok(handOff.result === 'unreached' && !handOff.permanent)
})
