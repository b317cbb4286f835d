import type { FunctionRecords } from './function-records.ts'
import type { FolderState } from './function-target.ts'

/** A processor as its developer sees it, on this node. */
export interface ProcessorState {
  functionName: string
  /**
   * `broken`: it cannot be run, or its latest call failed. `missing`: it is nowhere. `unreachable`: its endpoint, or the
   * functions folder, cannot be reached.
   */
  state: 'ready' | 'broken' | 'missing' | 'unreachable'
  /** Why it is not ready. */
  error: string | undefined
  calls: number
  errors: number
  /** Messages that wait for a place. */
  waiting: number
  atProcessor: number
  places: number
  lastOutput: readonly string[]
}

interface Sources {
  names(): string[]
  folderStateOf(functionName: string): FolderState
  records: FunctionRecords
  /** Steps in the memory of this node. */
  steps(): { processor: string; waiting: number; inFlight: number }[]
  /** How many calls the Lambda endpoint takes at a time. Undefined: there is none. */
  endpointPlaces: number | undefined
}

/**
 * The processors with these names, in this order; then all others that this node knows: those in the functions folder, and
 * those that had a message since the start.
 */
export function readProcessorStates(sources: Sources, first: Iterable<string>): ProcessorState[] {
  const steps = new Map(sources.steps().map((counts) => [counts.processor, counts]))
  const others = [...sources.names(), ...sources.records.names, ...steps.keys()].sort()
  return [...new Set([...first, ...others])].map((functionName) => {
    const record = sources.records.of(functionName)
    const { waiting = 0, inFlight = 0 } = steps.get(functionName) ?? {}
    return {
      functionName,
      ...stateOf(functionName, sources),
      calls: record?.calls ?? 0,
      errors: record?.errors ?? 0,
      waiting,
      atProcessor: inFlight,
      lastOutput: record?.lines ?? [],
    }
  })
}

function stateOf(
  functionName: string,
  { folderStateOf, records, endpointPlaces }: Sources,
): Pick<ProcessorState, 'state' | 'error' | 'places'> {
  const inFolder = folderStateOf(functionName)
  const { failure, printedError } = records.of(functionName) ?? {}
  if (inFolder.state === 'broken') return { state: 'broken', error: inFolder.error, places: 0 }
  if (inFolder.state === 'unknown') return { state: 'unreachable', error: inFolder.error, places: 0 }
  const places = inFolder.state === 'ready' ? inFolder.places : (endpointPlaces ?? 0)
  if (inFolder.state === 'missing' && endpointPlaces === undefined) {
    return {
      state: 'missing',
      error: failure?.reason ?? `There is no function ${functionName} in the functions folder`,
      places,
    }
  }
  if (!failure) return { state: 'ready', error: undefined, places }
  const error = printedError === undefined ? failure.reason : `${failure.reason}\n${printedError}`
  return { state: failure.result === 'crashed' ? 'broken' : 'unreachable', error, places }
}
