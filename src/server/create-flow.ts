import type { Config } from '../config.ts'
import { FlowEngine } from '../flow/engine.ts'
import { PausedFunctions } from '../flow/paused-functions.ts'
import { reportRuns } from '../flow/run-report.ts'
import type { Keys } from '../keys/kept-keys.ts'
import { functionKey } from '../keys/temporary-keys.ts'
import { folderThenLambda } from '../processor/folder-then-lambda.ts'
import { FunctionRecords } from '../processor/function-records.ts'
import { createFunctionTarget, type FunctionTarget, type FunctionTargetOptions } from '../processor/function-target.ts'
import { FunctionsMark } from '../processor/functions-mark.ts'
import { findFunctionsUser } from '../processor/functions-user.ts'
import { measured } from '../processor/measured-target.ts'
import { readProcessorStates } from '../processor/processor-states.ts'
import { systemClock } from '../runtime/clock.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { Shortages } from '../runtime/shortage.ts'
import type { ServerRecord } from './open-record.ts'
import type { World } from './world.ts'

interface Surroundings {
  metrics: Metrics
  shortages: Shortages
  /** The URL for functions. Called when one is started. */
  functionsUrl(): string
}

/** Creates the processor targets and the engine. The caller starts and stops the engine. */
export async function createFlow(
  config: Config,
  world: World,
  { store, keys, location, node, folder }: ServerRecord,
  { metrics, shortages, functionsUrl }: Surroundings,
  stack: AsyncDisposableStack,
) {
  const mark = new FunctionsMark(folder, world.log)
  const records = new FunctionRecords()
  const environment = (name: string) => environmentFor(config, keys, functionsUrl(), name)
  const functions = await createFunctions(config, world, { mark, records, environment })
  stack.defer(() => functions.close())
  const target = measured(await createTarget(functions, config, keys, world), metrics, records)
  const paused = new PausedFunctions({ ...world, read: store.read })
  stack.defer(() => paused.close())
  const engine = new FlowEngine({ ...world, store, node, location, target, shortages, paused })
  reportRuns({ store, log: world.log, metrics })
  const sources = {
    names: () => functions.names(),
    folderStateOf: (name: string) => functions.stateOf(name),
    records,
    steps: () => engine.counts,
    endpointPlaces: config.lambda?.concurrency,
  }
  const processors = (names: Iterable<string>) => readProcessorStates(sources, names)
  return { functions, paused, engine, processors, records }
}

async function createFunctions(
  config: Config,
  world: World,
  parts: Pick<FunctionTargetOptions, 'mark' | 'records' | 'environment'>,
) {
  const { functions: folder, functionsUser, functionProcesses: processesMax } = config
  const user = functionsUser === undefined ? undefined : await findFunctionsUser(functionsUser, folder)
  return createFunctionTarget({ ...world, ...parts, folder, folderClock: systemClock, processesMax, user })
}

async function createTarget(functions: FunctionTarget, config: Config, keys: Keys, { clock }: World) {
  if (!config.lambda) return folderThenLambda(functions, undefined)
  // Its HTTP client takes 70 ms of processor time to load.
  const { createLambdaTarget } = await import('../processor/lambda-target.ts')
  const { region = config.region, credentials = keys.root } = config.lambda
  return folderThenLambda(functions, createLambdaTarget({ ...config.lambda, region, credentials, clock }))
}

const environmentFor = ({ region }: Config, { secrets }: Keys, url: string, functionName: string) => ({
  region,
  ...functionKey(secrets, functionName),
  messagingEndpoint: url,
  identityEndpoint: url,
})
