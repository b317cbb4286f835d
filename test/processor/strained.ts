/**
 * A process that runs targets while it lacks something itself, and prints what became of each call, a JSON line a round.
 * Started as `node strained.ts stall|descriptors FUNCTIONS ENDPOINT…`.
 */
import { randomUUID } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { devNull } from 'node:os'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createFunctionTarget } from '../../src/processor/function-target.ts'
import { createLambdaTarget } from '../../src/processor/lambda-target.ts'
import type { ProcessorTarget } from '../../src/processor/target.ts'
import { systemClock as clock } from '../../src/runtime/clock.ts'
import { silentLog as log } from '../../src/runtime/log.ts'
import { functionArn, processorEvent } from './functions.ts'

const [, , scenario, folder = '', ...endpoints] = process.argv
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'an example, not a secret' }
const places = { functionName: '{name}', concurrency: 8, region: 'eu-central-1', credentials, clock }
const environment = () => ({
  region: '',
  messagingEndpoint: '',
  identityEndpoint: '',
  ...credentials,
  sessionToken: '',
})

const functions = createFunctionTarget({ folder, processesMax: 8, environment, clock, log, newId: randomUUID })
const remote = endpoints.map((endpoint) => [endpoint, createLambdaTarget({ endpoint, ...places })] as const)

const invoke = (target: ProcessorTarget, name: string) =>
  target.invoke(name, functionArn(name), processorEvent('m'), () => {})

/** What becomes of a call to each endpoint, and to each function that is named. */
async function round(names: string[], meanwhile: () => void | Promise<void> = () => {}): Promise<void> {
  const calls = [
    ...names.map((name) => [name, invoke(functions, name)] as const),
    ...remote.map(([endpoint, target]) => [endpoint, invoke(target, 'redact')] as const),
  ]
  await meanwhile()
  const results = await Promise.all(calls.map(async ([callee, handOff]) => [callee, await handOff] as const))
  console.log(JSON.stringify(Object.fromEntries(results)))
}

function takeAllDescriptors(): number[] {
  const taken: number[] = []
  try {
    for (;;) taken.push(openSync(devNull, 'r'))
  } catch {
    return taken
  }
}

const block = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

function isFolderReady(): boolean {
  try {
    functions.folderReady()
    return true
  } catch {
    return false
  }
}

await functions.opened
if (scenario === 'stall') {
  await round([], async () => {
    // Names are being looked up, connections are being made.
    await nextTurn()
    block(6_000)
  })
} else {
  // No name has been looked up before: then the system says ENOTFOUND, and later EMFILE.
  await invoke(functions, 'used')
  const taken = takeAllDescriptors()
  await round(['used', 'unused', 'missing'])
  for (const descriptor of taken) closeSync(descriptor)
  while (!isFolderReady()) await nextTurn()
  await round(['used', 'unused', 'missing'])
}
await Promise.all([functions.close(), ...remote.map(([, target]) => target.close())])
