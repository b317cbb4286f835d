import assert from 'node:assert/strict'
import { test } from 'node:test'
import { folderThenLambda } from '../../src/processor/folder-then-lambda.ts'
import type { ProcessorTarget } from '../../src/processor/target.ts'
import { functionArn, processorEvent, startFunctions } from './functions.ts'
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

test('an endpoint that is away is tried again', async (t) => {
  const { endpoint } = await openEndpoint(t, status(503))
  const functions = await startFunctions(t, {})
  const handOff = await invoke(folderThenLambda(functions.target, startLambda(t, endpoint).target), 'redact')
  assert.ok(handOff.result === 'unreached' && !handOff.permanent)
})
